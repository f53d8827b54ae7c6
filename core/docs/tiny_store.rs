use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use async_trait::async_trait;
use token_cache_core::{
    AccountId, AccountKey, AccountListOptions, AccountPage, AcquireOptions, Acquired,
    BackgroundKey, BackgroundSession, BackgroundSessions, Backplane, BeginSession, Begun,
    Capabilities, CutoffBound, Diagnostic, Entry, EntryAddress, EntryKey, EntryName, Error,
    ErrorKind, EvictOptions, EvictTarget, Evicted, IssuerKey, LockOwner, Namespace,
    NamespaceRecord, NotBeforeOptions, NotBeforeScope, PutMode, PutResult, ReadOptions,
    RefreshLocks, Result, Secret, SessionId, SessionKind, SessionRecord, SidAccounts, SidEntry,
    SidIndex, SidKey, SignIn, TimeSource, Timestamp, TokenCache, TokenStore, Version, WriteOptions,
    backend::{LockTable, NotBeforeTimes, SidTable, evict_each},
};

#[derive(Debug, Default)]
pub(crate) struct TinyStore(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    namespace: Option<NamespaceRecord>,
    partitions: HashMap<AccountKey, Partition>,
    sids: SidTable,
}

#[derive(Debug, Default)]
struct Partition {
    sessions: HashMap<SessionId, Session>,
    not_before_times: NotBeforeTimes,
    locks: LockTable,
    background_sessions: Vec<(BackgroundKey, BackgroundSession)>,
}

#[derive(Debug)]
struct Session {
    record: SessionRecord,
    entries: HashMap<EntryName, Entry>,
    /// The writes that created an entry. A late copy of one must not create it again.
    creations: Vec<(EntryName, Version)>,
}

impl Partition {
    fn living(&mut self, session_id: &SessionId, now: Timestamp) -> Result<&mut Session> {
        let session = self
            .sessions
            .get_mut(session_id)
            .filter(|session| !session.record.is_over(now));
        session.ok_or_else(|| Error::signed_out("find a session").store("tiny"))
    }

    fn entry(&mut self, at: &EntryAddress, now: Timestamp) -> Result<Option<Entry>> {
        let entry = self.living(at.session_id(), now)?.entries.get(at.name());
        Ok(entry.filter(|entry| !entry.is_expired(now)).cloned())
    }

    /// Returns the ids of the living sessions of one kind, the oldest first.
    fn of_kind(&self, kind: SessionKind) -> Vec<SessionId> {
        let records = self.sessions.values().map(|session| &session.record);
        let mut alike: Vec<_> = records.filter(|record| record.kind == kind).collect();
        alike.sort_by_key(|record| record.times.requested_at);
        alike.iter().map(|record| record.session_id).collect()
    }
}

impl TinyStore {
    const MAX_ENTRY_BYTES: usize = 1 << 20;

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one atomic step on an account's partition.
    fn on<T>(&self, account: &AccountKey, step: impl FnOnce(&mut Partition) -> T) -> T {
        step(self.held().partitions.entry(*account).or_default())
    }
}

fn own_clock() -> Timestamp {
    Timestamp::from_system_time(SystemTime::now())
}

#[async_trait]
impl TokenStore for TinyStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Self::MAX_ENTRY_BYTES)
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    async fn namespace(&self) -> Result<Namespace> {
        Ok(Namespace::new(self.held().namespace, own_clock()))
    }

    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        let held = &mut self.held().namespace;
        let matches = held.as_ref() == expected;
        if matches {
            *held = Some(*record);
        }
        Ok(matches)
    }

    async fn begin(&self, account: &AccountKey, begin: BeginSession) -> Result<Begun> {
        self.on(account, |partition| {
            if own_clock() >= begin.not_after
                || partition
                    .not_before_times
                    .refuse(&begin.record, own_clock())
            {
                return Err(Error::signed_out("begin a session").store("tiny"));
            }
            let stays = |old: &SessionRecord| {
                !old.is_over(begin.now) && !begin.supersedes.contains(&old.session_id)
            };
            partition
                .sessions
                .retain(|_, session| stays(&session.record));
            let alike = partition.of_kind(begin.record.kind);
            let displaced = (alike.len() + 1).saturating_sub(begin.max_sessions);
            for session_id in alike.iter().take(displaced) {
                partition.sessions.remove(session_id);
            }
            let session = Session {
                record: begin.record,
                entries: HashMap::new(),
                creations: Vec::new(),
            };
            partition
                .sessions
                .insert(session.record.session_id, session);
            Ok(Begun::displacing(displaced))
        })
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        self.on(account, |partition| {
            Ok(partition.living(session_id, options.now)?.record.clone())
        })
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        self.on(at.account(), |partition| partition.entry(at, options.now))
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        if entry.stored().len() > Self::MAX_ENTRY_BYTES {
            return Err(Error::new(ErrorKind::TooLarge, "write an entry").store("tiny"));
        }
        self.on(at.account(), |partition| {
            if let Some(owner) = &options.releasing {
                partition.locks.release(at, owner);
            }
            let session = partition.living(at.session_id(), options.now)?;
            let (entries, creations) = (&mut session.entries, &mut session.creations);
            let creation = (*at.name(), entry.version());
            let there = entries
                .get(at.name())
                .filter(|there| !there.is_expired(options.now));
            let there = there.map(Entry::version);
            let may_replace = match options.mode {
                PutMode::Overwrite => true,
                PutMode::Create => there.is_none() && !creations.contains(&creation),
                PutMode::Update(version) => there == Some(version),
            };
            if may_replace || there == Some(entry.version()) {
                if options.mode == PutMode::Create {
                    creations.push(creation);
                }
                entries.insert(*at.name(), entry);
                return Ok(PutResult::Stored);
            }
            Ok(PutResult::PreconditionFailed)
        })
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        self.on(at.account(), |partition| {
            let session = partition.sessions.get_mut(at.session_id());
            session.and_then(|session| session.entries.remove(at.name()));
            Ok(())
        })
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let now = own_clock();
        let ends = |old: &SessionRecord| {
            let times = old.times.credible_at(now);
            target.ends(&old.session_id, old.sid.as_ref(), &times)
        };
        let goes_at = now + options.not_before_lifetime;
        self.on(account, |partition| {
            partition
                .sessions
                .retain(|_, session| !session.record.is_over(options.now));
            let before = partition.sessions.len();
            partition
                .sessions
                .retain(|_, session| !ends(&session.record));
            partition.not_before_times.raise(&target, goes_at);
            Ok(Evicted::new(partition.sessions.len() < before))
        })
    }

    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        self.on(account, |partition| {
            let records = partition
                .sessions
                .values()
                .map(|session| session.record.clone());
            Ok(records
                .filter(|record| !record.is_over(options.now))
                .collect())
        })
    }

    fn clock(&self) -> Option<&dyn TimeSource> {
        None
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        None
    }
}

#[async_trait]
impl RefreshLocks for TinyStore {
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired> {
        self.on(at.account(), |partition| {
            let entry = partition.entry(at, options.now)?;
            Ok(partition.locks.acquire(at, &options, entry, own_clock()))
        })
    }

    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()> {
        self.on(at.account(), |partition| partition.locks.release(at, owner));
        Ok(())
    }

    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        self.on(at.account(), |partition| {
            let entry = partition.entry(at, options.now)?;
            let is_there = entry.is_some_and(|entry| entry.version() == version);
            if is_there {
                partition.sessions.remove(at.session_id());
            }
            Ok(is_there)
        })
    }
}

#[async_trait]
impl SidIndex for TinyStore {
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        admitted(self.held().sids.add(sid, &sid_entry, own_clock()))
    }

    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        let sids = &mut self.held().sids;
        Ok(sids.set_sid_not_before(sid, bound, options, own_clock()))
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        let now = own_clock();
        admitted(
            self.held()
                .sids
                .admits(issuer, requested_at, not_after, now),
        )
    }

    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()> {
        let sids = &mut self.held().sids;
        sids.set_issuer_not_before(issuer, at, options, own_clock());
        Ok(())
    }

    /// Returns all accounts as one page.
    async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage> {
        let accounts = self.held().partitions.keys().copied().collect();
        AccountPage::whole(accounts, scan)
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        evict_each(self, accounts, at, not_before, options).await
    }
}

#[async_trait]
impl BackgroundSessions for TinyStore {
    async fn keep(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()> {
        self.on(account, |partition| {
            partition.living(&background_session.session_id, options.now)?;
            let kept = &mut partition.background_sessions;
            kept.retain(|(other, it)| {
                other != name || it.session_id != background_session.session_id
            });
            kept.insert(0, (*name, background_session)); // the newest first
            Ok(())
        })
    }

    async fn find(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        options: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        self.on(account, |partition| {
            let mut kept = std::mem::take(&mut partition.background_sessions);
            kept.retain(|(_, it)| partition.living(&it.session_id, options.now).is_ok());
            let found = kept.iter().filter(|(other, _)| other == name);
            let found = found.map(|(_, it)| it.clone()).collect();
            partition.background_sessions = kept;
            Ok(found)
        })
    }
}

fn admitted(is_admitted: bool) -> Result<()> {
    let refused = || Error::signed_out("sign in").store("tiny");
    is_admitted.then_some(()).ok_or_else(refused)
}

impl fmt::Display for TinyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tiny")
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let cache = TokenCache::open(TinyStore::default(), Secret::random()?).await?;
    let ada = AccountId::new("https://id.example", "248289761001")?;
    let api = EntryKey::resource("https://api.example")?;

    let under_way = cache.start_sign_in()?;
    let sign_in = SignIn::new(ada.clone(), &cache.start_sign_in()?);
    let session = cache.sign_in(sign_in).await?;
    session.put(&api, b"token".as_slice()).await?;
    assert!(session.get(&api).await?.is_some());

    assert!(cache.sign_out_account(&ada).await?.ended);
    assert!(
        session
            .get(&api)
            .await
            .is_err_and(|error| error.is_signed_out())
    );
    let overtaken = cache.sign_in(SignIn::new(ada, &under_way)).await;
    assert!(overtaken.is_err_and(|error| error.kind() == ErrorKind::SignInRevoked));
    Ok(())
}
