use std::{fmt, sync::Arc};

use async_trait::async_trait;
use token_cache_core::{
    AccountKey, AccountListOptions, AccountPage, AcquireOptions, Acquired, BackgroundSessions,
    Backplane, BeginSession, Begun, Capabilities, CutoffBound, Diagnostic, Entry, EntryAddress,
    Error, ErrorKind, EvictOptions, EvictTarget, Evicted, Invalidation, IssuerKey, LockOwner,
    Namespace, NamespaceRecord, NotBeforeOptions, NotBeforeScope, PutResult, ReadOptions,
    RefreshLocks, Result, SessionId, SessionRecord, SidAccounts, SidEntry, SidIndex, SidKey,
    TimeSource, Timestamp, TokenStore, Version, WriteOptions,
};

/// A server that publishes every change it makes, as a cache above the store would.
#[derive(Debug)]
pub(crate) struct Publishing<S>(pub(crate) Arc<S>);

impl<S: TokenStore> Publishing<S> {
    async fn published<T>(
        &self,
        accounts: &[AccountKey],
        change: impl Future<Output = T> + Send,
    ) -> T {
        let changed = change.await;
        if let Some(backplane) = self.0.backplane() {
            let what = Invalidation::Accounts(accounts.to_vec());
            // The memory store delivers the message before it answers. It fails only if no random id can be created.
            let _ = backplane.publish(None, what).await;
        }
        changed
    }

    fn locks(&self) -> Result<&dyn RefreshLocks> {
        self.0.refresh_locks().ok_or_else(unsupported)
    }

    fn index(&self) -> Result<&dyn SidIndex> {
        self.0.sid_index().ok_or_else(unsupported)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<S: TokenStore> TokenStore for Publishing<S> {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.0.diagnostics()
    }

    async fn namespace(&self) -> Result<Namespace> {
        self.0.namespace().await
    }

    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        self.0.set_namespace(expected, record).await
    }

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        self.published(&[*account], self.0.begin(account, session))
            .await
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        self.0.session(account, session_id, options).await
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        self.0.read(at, options).await
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        self.published(&[*at.account()], self.0.write(at, entry, options))
            .await
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        self.published(&[*at.account()], self.0.remove(at)).await
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        self.published(&[*account], self.0.evict(account, target, options))
            .await
    }

    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        self.0.sessions(account, options).await
    }

    fn clock(&self) -> Option<&dyn TimeSource> {
        self.0.clock()
    }

    fn refresh_locks(&self) -> Option<&dyn RefreshLocks> {
        Some(self)
    }

    fn sid_index(&self) -> Option<&dyn SidIndex> {
        Some(self)
    }

    fn background_sessions(&self) -> Option<&dyn BackgroundSessions> {
        self.0.background_sessions()
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        self.0.backplane()
    }
}

#[async_trait]
impl<S: TokenStore> RefreshLocks for Publishing<S> {
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired> {
        self.locks()?.acquire(at, options).await
    }

    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()> {
        self.locks()?.release(at, owner).await
    }

    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        let ended = self.locks()?.end_if_version(at, version, options);
        self.published(&[*at.account()], ended).await
    }
}

#[async_trait]
impl<S: TokenStore> SidIndex for Publishing<S> {
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        self.index()?.add(sid, sid_entry).await
    }

    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        self.index()?.set_sid_not_before(sid, bound, options).await
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        self.index()?
            .check_issuer(issuer, requested_at, not_after)
            .await
    }

    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()> {
        self.index()?
            .set_issuer_not_before(issuer, at, options)
            .await
    }

    async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage> {
        self.index()?.accounts(scan).await
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        let Some(sid_index) = self.0.sid_index() else {
            return accounts.iter().map(|_| Err(unsupported())).collect();
        };
        let evicted = sid_index.evict_accounts(accounts, at, not_before, options);
        self.published(accounts, evicted).await
    }
}

impl<S: TokenStore> fmt::Display for Publishing<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "publishing({})", self.0)
    }
}

fn unsupported() -> Error {
    Error::new(ErrorKind::Unsupported, "use an optional part")
}
