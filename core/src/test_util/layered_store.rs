use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::watch;

use super::entry_sealer;
use crate::{
    AccountKey, AcquireOptions, Acquired, BackgroundSessions, BeginSession, Begun, Capabilities,
    Entry, EntryAddress, Error, ErrorKind, EvictOptions, EvictTarget, Evicted, Invalidation,
    NotBeforeScope, PutResult, ReadOptions, RefreshLocks, Result, Secret, ServerId, SessionId,
    SessionRecord, SidIndex, Timestamp, TokenStore, Version, WriteOptions,
    cache::StorePath,
    crypto::{SessionKeys, UnreadableEntries},
    delegate_store,
    near_cache::{
        BootInstant, BootTime, FleetConfig, FleetConfigWatch, FleetMember, NearCache,
        NearCacheSettings, SystemBootTime, WithoutNearCache,
    },
};

/// The near cache and the encryption of a [`TokenCache`](crate::TokenCache) around a store, as a store. With it, the conformance suite
/// checks them together.
///
/// A session that is begun here has no ticket secret. Its entries are encrypted under keys that are derived from its id.
#[derive(Debug, Clone)]
pub struct LayeredStore {
    path: Arc<StorePath>,
    publishes: bool,
}

impl LayeredStore {
    /// Creates a store that encrypts the entries of `inner` under a key that is derived from `secret`.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub async fn new(inner: Arc<dyn TokenStore>, secret: &Secret) -> Result<Self> {
        let member = Self::member(Arc::clone(&inner), Arc::new(SystemBootTime))?;
        let near_cache = WithoutNearCache.open(member).await?;
        Ok(Self::with_near_cache(inner, secret, near_cache))
    }

    /// Creates a store like [`new`](Self::new) that serves reads from `near_cache`. The caller must call [`forget`](Self::forget) for each
    /// invalidation message.
    pub fn with_near_cache(
        inner: Arc<dyn TokenStore>,
        secret: &Secret,
        near_cache: Arc<dyn NearCache>,
    ) -> Self {
        let sealer = entry_sealer::sealer(secret);
        let path = StorePath::new(inner, sealer, UnreadableEntries::Error, near_cache);
        Self {
            path,
            publishes: false,
        }
    }

    /// Returns a server on the store `inner` for a near cache, as a member of a fleet without other near caches.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn member(inner: Arc<dyn TokenStore>, clock: Arc<dyn BootTime>) -> Result<FleetMember> {
        let never = BootInstant::default();
        let (config, _) = watch::channel(FleetConfig::first(Duration::ZERO, never, never));
        Ok(FleetMember {
            server: ServerId::mint()?,
            store: inner,
            config: FleetConfigWatch::of(&config),
            clock,
        })
    }

    /// Publishes each change before the call returns, so that near caches of other servers drop their entries.
    pub fn publishing(mut self) -> Self {
        self.publishes = true;
        self
    }

    /// Drops the near-cache entries that `what` names.
    pub fn forget(&self, what: &Invalidation) {
        self.path.forget(what);
    }

    /// Returns the near cache.
    pub fn near_cache(&self) -> &dyn NearCache {
        self.path.near_cache()
    }

    async fn changed<T>(
        &self,
        accounts: &[AccountKey],
        change: impl Future<Output = T> + Send,
    ) -> T {
        let changing = self.path.changing(accounts);
        let changed = change.await;
        drop(changing);
        if let Some(backplane) = self.backplane().filter(|_| self.publishes) {
            let what = Invalidation::Accounts(accounts.to_vec());
            // Near-cache entries that are not invalidated make a check fail.
            let _ = backplane.publish(None, what).await;
        }
        changed
    }
}

fn keys_of(at: &EntryAddress) -> Arc<SessionKeys> {
    entry_sealer::keys(*at.session_id().as_bytes())
}

#[async_trait]
impl TokenStore for LayeredStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(self.path.max_value_bytes())
    }

    delegate_store!(self => *self.path.store(); diagnostics, namespace, set_namespace, sessions, clock, backplane);

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        let begin = self.path.store().begin(account, session);
        self.changed(&[*account], begin).await
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        self.path.session(account, session_id, options).await
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        self.path.read(at, &keys_of(at), options).await
    }

    /// Refuses a value over the limit, as a [`Session`](crate::Session) does.
    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        if entry.stored().len() > self.path.max_value_bytes() {
            return Err(Error::new(ErrorKind::TooLarge, "write an entry"));
        }
        let keys = keys_of(at);
        let write = self.path.write(at, &keys, &entry, options);
        self.changed(&[*at.account()], write).await
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        self.changed(&[*at.account()], self.path.remove(at)).await
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let evict = self.path.store().evict(account, target, options);
        self.changed(&[*account], evict).await
    }
}

impl BackgroundSessions for LayeredStore {
    delegate_store!(self => *self.path.store(); keep, find);
}

#[async_trait]
impl RefreshLocks for LayeredStore {
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired> {
        self.path.acquire(at, &keys_of(at), options).await
    }

    delegate_store!(self => *self.path.store(); release);

    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        let end = self.path.end_if_version(at, version, options);
        self.changed(&[*at.account()], end).await
    }
}

#[async_trait]
impl SidIndex for LayeredStore {
    delegate_store!(self => *self.path.store(); add, set_sid_not_before, check_issuer, set_issuer_not_before, accounts);

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        let evict = self
            .path
            .store()
            .evict_accounts(accounts, at, not_before, options);
        self.changed(accounts, evict).await
    }
}

impl fmt::Display for LayeredStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "layered({})", self.path.store())
    }
}
