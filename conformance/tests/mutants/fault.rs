//! The faults of a broken store, one for each step.

use std::sync::Arc;

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, AccountListOptions, AccountPage, AcquireOptions, Acquired, BackgroundKey,
    BackgroundSession, BackgroundSessions, Backplane, BackplaneConnection, BeginSession, Begun,
    CutoffBound, Entry, EntryAddress, EvictOptions, EvictTarget, Evicted, Invalidation,
    InvalidationListener, IssuerKey, LockOwner, Namespace, NamespaceRecord, NotBeforeOptions,
    NotBeforeScope, Published, PutResult, ReadOptions, RefreshLocks, Result, ServerId, SessionId,
    SessionRecord, SidAccounts, SidEntry, SidIndex, SidKey, Timestamp, TokenStore, Version,
    WriteOptions,
};

/// A fault of a store. By default each step does what the healthy store does.
#[async_trait]
pub(crate) trait Fault: Default + Send + Sync + 'static {
    async fn namespace(&self, healthy: &dyn TokenStore) -> Result<Namespace> {
        healthy.namespace().await
    }

    async fn set_namespace(
        &self,
        healthy: &dyn TokenStore,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        healthy.set_namespace(expected, record).await
    }

    async fn begin(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        session: BeginSession,
    ) -> Result<Begun> {
        healthy.begin(account, session).await
    }

    async fn session(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        healthy.session(account, session_id, options).await
    }

    async fn read(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        options: ReadOptions,
    ) -> Result<Option<Entry>> {
        healthy.read(at, options).await
    }

    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        healthy.write(at, entry, options).await
    }

    async fn remove(&self, healthy: &dyn TokenStore, at: &EntryAddress) -> Result<()> {
        healthy.remove(at).await
    }

    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        healthy.evict(account, target, options).await
    }

    async fn sessions(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        healthy.sessions(account, options).await
    }

    async fn acquire(
        &self,
        healthy: &dyn RefreshLocks,
        at: &EntryAddress,
        options: AcquireOptions,
    ) -> Result<Acquired> {
        healthy.acquire(at, options).await
    }

    async fn release(
        &self,
        healthy: &dyn RefreshLocks,
        at: &EntryAddress,
        owner: &LockOwner,
    ) -> Result<()> {
        healthy.release(at, owner).await
    }

    async fn end_if_version(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        healthy.end_if_version(at, version, options).await
    }

    async fn keep(
        &self,
        healthy: &dyn BackgroundSessions,
        account: &AccountKey,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()> {
        healthy
            .keep(account, name, background_session, options)
            .await
    }

    async fn find(
        &self,
        healthy: &dyn BackgroundSessions,
        account: &AccountKey,
        name: &BackgroundKey,
        options: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        healthy.find(account, name, options).await
    }

    async fn add(&self, healthy: &dyn SidIndex, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        healthy.add(sid, sid_entry).await
    }

    async fn set_sid_not_before(
        &self,
        healthy: &dyn SidIndex,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        healthy.set_sid_not_before(sid, bound, options).await
    }

    async fn check_issuer(
        &self,
        healthy: &dyn SidIndex,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        healthy.check_issuer(issuer, requested_at, not_after).await
    }

    async fn set_issuer_not_before(
        &self,
        healthy: &dyn SidIndex,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()> {
        healthy.set_issuer_not_before(issuer, at, options).await
    }

    async fn accounts(
        &self,
        healthy: &dyn SidIndex,
        scan: &AccountListOptions,
    ) -> Result<AccountPage> {
        healthy.accounts(scan).await
    }

    async fn evict_accounts(
        &self,
        healthy: &dyn SidIndex,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        healthy
            .evict_accounts(accounts, at, not_before, options)
            .await
    }

    async fn connect(
        &self,
        healthy: &dyn Backplane,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>> {
        healthy.connect(server, listener).await
    }

    async fn publish(
        &self,
        healthy: &dyn Backplane,
        origin: Option<ServerId>,
        what: Invalidation,
    ) -> Result<Published> {
        healthy.publish(origin, what).await
    }
}
