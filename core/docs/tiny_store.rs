use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use async_trait::async_trait;
use token_cache_core::{
    AccountId, AccountKey, BackgroundSessions, Backplane, BeginSession, Begun, Capabilities,
    CutoffClock, Diagnostic, Entry, EntryAddress, EntryKey, EntryName, Error, ErrorKind,
    EvictOptions, EvictTarget, Evicted, Namespace, NamespaceRecord, PutMode, PutResult,
    ReadOptions, RefreshLocks, Result, Secret, SessionId, SessionKind, SessionRecord, SidIndex,
    SignIn, TimeSource, Timestamp, TokenCache, TokenStore, Version, WriteOptions,
};

#[derive(Debug, Default)]
pub(crate) struct TinyStore(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    namespace: Option<NamespaceRecord>,
    partitions: HashMap<AccountKey, Partition>,
}

#[derive(Debug, Default)]
struct Partition {
    sessions: HashMap<SessionId, Session>,
    /// For each clock, and for all sessions or those without a `sid`: the not-before time, and when it expires.
    not_before_times: HashMap<(CutoffClock, bool), (Timestamp, Timestamp)>,
}

#[derive(Debug)]
struct Session {
    record: SessionRecord,
    entries: HashMap<EntryName, Entry>,
    /// The writes that created an entry. A late copy of one must not create it again.
    creations: Vec<(EntryName, Version)>,
}

impl Partition {
    fn refuses(&self, new: &SessionRecord) -> bool {
        self.not_before_times
            .iter()
            .any(|((clock, without_sid), (at, goes_at))| {
                let concerned = !without_sid || new.sid.is_none();
                concerned && own_clock() < *goes_at && new.times.on(*clock) <= *at
            })
    }

    fn mark(&mut self, clock: CutoffClock, without_sid: bool, at: Timestamp, goes_at: Timestamp) {
        let not_before = self
            .not_before_times
            .entry((clock, without_sid))
            .or_default();
        *not_before = (at.max(not_before.0), goes_at.max(not_before.1)); // neither ever falls
    }

    fn living(&mut self, session_id: &SessionId, now: Timestamp) -> Result<&mut Session> {
        let session = self
            .sessions
            .get_mut(session_id)
            .filter(|session| !session.record.is_over(now));
        session.ok_or_else(|| Error::signed_out("find a session").store("tiny"))
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

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        let BeginSession {
            record,
            not_after,
            supersedes,
            max_sessions,
            now,
            ..
        } = session;
        self.on(account, |partition| {
            if own_clock() >= not_after || partition.refuses(&record) {
                return Err(Error::signed_out("begin a session").store("tiny"));
            }
            let stays =
                |old: &SessionRecord| !old.is_over(now) && !supersedes.contains(&old.session_id);
            partition
                .sessions
                .retain(|_, session| stays(&session.record));
            let alike = partition.of_kind(record.kind);
            let displaced = (alike.len() + 1).saturating_sub(max_sessions);
            for session_id in alike.iter().take(displaced) {
                partition.sessions.remove(session_id);
            }
            let session = Session {
                record,
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
        self.on(at.account(), |partition| {
            let entry = partition
                .living(at.session_id(), options.now)?
                .entries
                .get(at.name());
            Ok(entry
                .filter(|entry| !entry.is_expired(options.now))
                .cloned())
        })
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
            match target {
                EvictTarget::Account(moment) => {
                    partition.mark(moment.clock, false, moment.at, goes_at);
                }
                EvictTarget::SidOrWithoutSid {
                    without_sid_until, ..
                } => {
                    partition.mark(CutoffClock::Provider, true, without_sid_until, goes_at);
                }
                EvictTarget::Session(_) | EvictTarget::Sid { .. } => {}
            }
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

    fn refresh_locks(&self) -> Option<&dyn RefreshLocks> {
        None
    }

    fn sid_index(&self) -> Option<&dyn SidIndex> {
        None
    }

    fn background_sessions(&self) -> Option<&dyn BackgroundSessions> {
        None
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        None
    }
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
    let session = cache
        .sign_in(SignIn::new(ada.clone(), &cache.start_sign_in()?))
        .await?;
    session.put(&api, b"token".as_slice()).await?;
    assert!(session.get(&api).await?.is_some());

    assert!(cache.sign_out_account(&ada).await?.ended);
    let read = session.get(&api).await;
    assert!(read.is_err_and(|error| error.is_signed_out()));
    let overtaken = cache.sign_in(SignIn::new(ada, &under_way)).await;
    assert!(overtaken.is_err_and(|error| error.kind() == ErrorKind::SignInRevoked));
    Ok(())
}
