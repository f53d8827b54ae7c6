use std::{fmt, hash::Hash, slice, sync::Arc};

use tokio::runtime::Handle;

use crate::{
    AccountKey, AcquireOptions, Acquired, Entry, EntryAddress, Error, ErrorKind, EvictOptions,
    Invalidation, PutMode, PutResult, ReadOptions, Result, SessionId, SessionRecord, TokenStore,
    Version, WriteOptions,
    crypto::{Sealer, SessionKeys, UnreadableEntries},
    near_cache::{NearCache, Validity},
    protocol::{self, SignInPlan, SignedIn},
    telemetry::in_current_span,
    util::single_flight::{Shared, SingleFlight},
};

/// The path from a cache to its store, which every read and write of an entry and of a session's record takes: near cache, encryption,
/// store.
///
/// - A near-cache hit needs no request and decrypts nothing, because the near cache has the values in clear text.
/// - The store receives only encrypted values (G5).
/// - A change drops this server's near-cache entries of the account, and tells other servers if they cannot learn of it otherwise.
///
/// Calls that concern neither entries nor near caches use [`store`](Self::store).
pub(crate) struct StorePath {
    store: Arc<dyn TokenStore>,
    sealer: Sealer,
    unreadable: UnreadableEntries,
    near_cache: Arc<dyn NearCache>,
    entry_reads: SharedReads<EntryAddress, Option<Entry>>,
    session_reads: SharedReads<(AccountKey, SessionId), SessionRecord>,
}

/// The running reads that concurrent callers share.
type SharedReads<K, T> = SingleFlight<K, Result<T>, Validity>;

impl StorePath {
    pub(crate) fn new(
        store: Arc<dyn TokenStore>,
        sealer: Sealer,
        unreadable: UnreadableEntries,
        near_cache: Arc<dyn NearCache>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            sealer,
            unreadable,
            near_cache,
            entry_reads: SharedReads::default(),
            session_reads: SharedReads::default(),
        })
    }

    pub(crate) fn store(&self) -> &dyn TokenStore {
        &*self.store
    }

    pub(crate) fn near_cache(&self) -> &dyn NearCache {
        &*self.near_cache
    }

    /// Returns the most bytes of an entry's value. Encryption adds bytes, which count against the store's limit.
    pub(crate) fn max_value_bytes(&self) -> usize {
        let limit = self.store.capabilities().max_entry_bytes;
        limit.saturating_sub(Sealer::OVERHEAD)
    }

    /// Returns the entry at `at`. `keys` are those of the session to which the address belongs.
    pub(crate) async fn read(
        self: &Arc<Self>,
        at: &EntryAddress,
        keys: &Arc<SessionKeys>,
        options: ReadOptions,
    ) -> Result<Option<Entry>> {
        if let Some(entry) = self.near_cache.entry(at, options.now) {
            return Ok(Some(entry));
        }
        if !self.may_keep(at.account()) {
            return self.read_store(at, keys, options).await;
        }
        let send = |validity| {
            let (path, at, keys) = (Arc::clone(self), *at, Arc::clone(keys));
            async move {
                let read = path
                    .read_store(&at, &keys, options.for_near_cache())
                    .await?;
                if let Some(entry) = &read {
                    path.near_cache.keep_entry(&at, entry, validity);
                }
                Ok(read)
            }
        };
        let lives = |read: &Option<Entry>| {
            let entry = read.as_ref();
            entry.is_some_and(|entry| !entry.is_expired(options.now))
        };
        let read = self.shared(&self.entry_reads, *at, at.account(), send, lives);
        match read.await {
            Err(error) if is_of_the_backplane(&error) => self.read_store(at, keys, options).await,
            answered => answered,
        }
    }

    /// Returns the record of a session that lives.
    pub(crate) async fn session(
        self: &Arc<Self>,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        if let Some(record) = self.near_cache.session(account, session_id, options.now) {
            return Ok(record);
        }
        if !self.may_keep(account) {
            return self.store.session(account, session_id, options).await;
        }
        let key = (*account, *session_id);
        let send = |validity| {
            let path = Arc::clone(self);
            async move {
                let (account, session_id) = key;
                let options = options.for_near_cache();
                let record = path.store.session(&account, &session_id, options).await?;
                path.near_cache.keep_session(&account, &record, validity);
                Ok(record)
            }
        };
        let lives = |record: &SessionRecord| !record.is_over(options.now);
        let read = self.shared(&self.session_reads, key, account, send, lives);
        match read.await {
            Err(error) if is_of_the_backplane(&error) => {
                self.store.session(account, session_id, options).await
            }
            answered => answered,
        }
    }

    /// Writes an entry. Its value is already within [`max_value_bytes`](Self::max_value_bytes). Other servers are told of an unconditional
    /// write.
    pub(crate) async fn write(
        &self,
        at: &EntryAddress,
        keys: &SessionKeys,
        entry: &Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        let sealed = self.sealer.seal(at, keys, entry)?;
        let mut change = self.changing(slice::from_ref(at.account()));
        change.is_told = options.mode == PutMode::Overwrite;
        self.store.write(at, sealed, options).await
    }

    /// Removes an entry. Other servers are told.
    pub(crate) async fn remove(&self, at: &EntryAddress) -> Result<()> {
        let mut change = self.changing(slice::from_ref(at.account()));
        change.is_told = true;
        self.store.remove(at).await
    }

    /// Takes the refresh lock of an entry. A fresher entry is decrypted. One that cannot be decrypted is always an error, because a refresh
    /// would replace an entry that counts as missing.
    pub(crate) async fn acquire(
        &self,
        at: &EntryAddress,
        keys: &SessionKeys,
        options: AcquireOptions,
    ) -> Result<Acquired> {
        match self.store.acquire(at, options).await? {
            Acquired::Fresher(sealed) => {
                drop(self.changing(slice::from_ref(at.account())));
                let entry = self.sealer.open(at, keys, sealed)?;
                Ok(Acquired::Fresher(entry))
            }
            other => Ok(other),
        }
    }

    /// Ends the session of an entry if the entry has this version. Other servers are told.
    pub(crate) async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        let mut change = self.changing(slice::from_ref(at.account()));
        change.is_told = true;
        self.store.end_if_version(at, version, options).await
    }

    /// Begins a session. Other servers are told if it ended older ones.
    pub(crate) async fn sign_in(&self, plan: &SignInPlan<'_>) -> Result<SignedIn> {
        let mut change = self.changing(slice::from_ref(&plan.account));
        let signed_in = protocol::sign_in(&*self.store, plan).await?;
        change.is_told = signed_in.displaced > 0;
        Ok(signed_in)
    }

    /// Drops this server's near-cache entries that `what` names. Reads that are in progress do not store their results.
    pub(crate) fn forget(&self, what: &Invalidation) {
        self.near_cache.forget(what);
    }

    /// Drops this server's near-cache entries of accounts that it changes, before the change and again after it, however the change ends.
    pub(crate) fn changing<'a>(&'a self, accounts: &'a [AccountKey]) -> Change<'a> {
        let change = Change {
            path: self,
            accounts,
            is_told: false,
        };
        change.forget();
        change
    }

    /// Returns whether a read of this account that is sent now may store its result.
    fn may_keep(&self, account: &AccountKey) -> bool {
        let near_cache = &self.near_cache;
        near_cache.may_serve(account, near_cache.validity(account))
    }

    /// Returns the result of `send`, or of a running read with the same key. A read that was sent earlier is shared only if its result may be
    /// served as a near-cache entry now (G1).
    ///
    /// A caller that joins a read gets its result only if it is an error other than the end of the session, or if `lives` is true of it.
    /// Otherwise another read is sent, or joined, so that a put on another server in the meantime is not missed.
    async fn shared<K, T, F>(
        &self,
        reads: &SharedReads<K, T>,
        key: K,
        account: &AccountKey,
        send: impl Fn(Validity) -> F,
        lives: impl Fn(&T) -> bool,
    ) -> Result<T>
    where
        K: Clone + Eq + Hash + Send + 'static,
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let runtime = Handle::try_current().map_err(|_| Error::no_runtime("read an entry"))?;
        let send = |validity| in_current_span(send(validity));
        let validity = || self.near_cache.validity(account);
        let may_serve = |validity| self.near_cache.may_serve(account, validity);
        let read = reads.join_if(&runtime, key.clone(), may_serve, validity, send);
        let is_joined = read.is_joined;
        let answered = answer(read).await;
        let is_final = match &answered {
            Ok(value) => lives(value),
            Err(error) => !error.is_signed_out(),
        };
        if !is_joined || is_final {
            return answered;
        }
        // Any read that runs now was sent after this caller arrived.
        answer(reads.join_if(&runtime, key, |_| true, validity, send)).await
    }

    async fn read_store(
        &self,
        at: &EntryAddress,
        keys: &SessionKeys,
        options: ReadOptions,
    ) -> Result<Option<Entry>> {
        let Some(sealed) = self.store.read(at, options).await? else {
            return Ok(None);
        };
        match self.sealer.open(at, keys, sealed) {
            Err(error) if self.unreadable == UnreadableEntries::Miss && is_unreadable(&error) => {
                Ok(None)
            }
            opened => opened.map(Some),
        }
    }
}

async fn answer<T: Clone>(read: Shared<Result<T>>) -> Result<T> {
    read.wait().await.unwrap_or_else(|| {
        Err(Error::new(ErrorKind::Unexpected, "read an entry").message(
            "its task panicked, or was stopped when the tokio runtime shut down; repeat the read",
        ))
    })
}

/// Returns whether the backplane connection may be the cause of an error. Then each caller sends its own read, not for the near cache, and
/// stores nothing.
fn is_of_the_backplane(error: &Error) -> bool {
    error.kind() == ErrorKind::Unavailable
}

fn is_unreadable(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::KeyMissing)
}

/// A change in progress that this server makes itself. Its drop ends it, also if the caller is dropped before the store's answer.
pub(crate) struct Change<'a> {
    path: &'a StorePath,
    accounts: &'a [AccountKey],
    /// If it is `true`, other servers are told to drop their near-cache entries of the accounts when the change ends.
    is_told: bool,
}

impl Change<'_> {
    fn forget(&self) {
        let what = Invalidation::Accounts(self.accounts.to_vec());
        self.path.forget(&what);
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.forget();
        if self.is_told {
            for account in self.accounts {
                self.path.near_cache.publish(account);
            }
        }
    }
}

impl fmt::Debug for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorePath")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
