use std::sync::Arc;

use async_trait::async_trait;

use super::FailingStore;
use crate::{
    AccountKey, AccountListOptions, AccountPage, AcquireOptions, Acquired, BackgroundKey,
    BackgroundSession, BackgroundSessions, Backplane, BackplaneConnection, CutoffBound,
    EntryAddress, Error, ErrorKind, EvictOptions, Evicted, Invalidation, InvalidationListener,
    IssuerKey, LockOwner, NotBeforeOptions, NotBeforeScope, Published, ReadOptions, RefreshLocks,
    Result, ServerId, SidAccounts, SidEntry, SidIndex, SidKey, Timestamp, Version,
};

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Backplane for FailingStore {
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>> {
        let backplane = self.inner.backplane().ok_or_else(unsupported)?;
        let connecting = self.backplane.connect(backplane, server, listener);
        self.request("open the backplane", connecting).await
    }

    async fn publish(&self, origin: Option<ServerId>, what: Invalidation) -> Result<Published> {
        let backplane = self.inner.backplane().ok_or_else(unsupported)?;
        let publishing = self.request("publish", backplane.publish(origin, what));
        self.backplane.request(publishing).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl RefreshLocks for FailingStore {
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired> {
        let locks = self.inner.refresh_locks().ok_or_else(unsupported)?;
        self.request("take a refresh lock", locks.acquire(at, options))
            .await
    }

    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        let locks = self.inner.refresh_locks().ok_or_else(unsupported)?;
        let ending = locks.end_if_version(at, version, options);
        self.request("end a session", ending).await
    }

    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()> {
        let locks = self.inner.refresh_locks().ok_or_else(unsupported)?;
        self.request("release a refresh lock", locks.release(at, owner))
            .await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl BackgroundSessions for FailingStore {
    async fn keep(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()> {
        let background_sessions = self.inner.background_sessions().ok_or_else(unsupported)?;
        self.request(
            "keep a background session",
            background_sessions.keep(account, name, background_session, options),
        )
        .await
    }

    async fn find(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        options: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        let background_sessions = self.inner.background_sessions().ok_or_else(unsupported)?;
        self.request(
            "find a background session",
            background_sessions.find(account, name, options),
        )
        .await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl SidIndex for FailingStore {
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        let sid_index = self.inner.sid_index().ok_or_else(unsupported)?;
        self.request("add to the `sid` index", sid_index.add(sid, sid_entry))
            .await
    }

    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        let sid_index = self.inner.sid_index().ok_or_else(unsupported)?;
        self.request(
            "sign out a `sid`",
            sid_index.set_sid_not_before(sid, bound, options),
        )
        .await
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        let sid_index = self.inner.sid_index().ok_or_else(unsupported)?;
        self.request(
            "check the issuer",
            sid_index.check_issuer(issuer, requested_at, not_after),
        )
        .await
    }

    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()> {
        let sid_index = self.inner.sid_index().ok_or_else(unsupported)?;
        self.request(
            "sign out an issuer",
            sid_index.set_issuer_not_before(issuer, at, options),
        )
        .await
    }

    async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage> {
        let sid_index = self.inner.sid_index().ok_or_else(unsupported)?;
        self.request("list accounts", sid_index.accounts(scan))
            .await
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        let mut evicted = Vec::with_capacity(accounts.len());
        for account in accounts {
            let Some(sid_index) = self.inner.sid_index() else {
                evicted.push(Err(unsupported()));
                continue;
            };
            let one = async {
                let one = std::slice::from_ref(account);
                sid_index
                    .evict_accounts(one, at, not_before, options)
                    .await
                    .remove(0)
            };
            evicted.push(self.request("sign out", one).await);
        }
        evicted
    }
}

fn unsupported() -> Error {
    Error::new(ErrorKind::Unsupported, "use an optional part")
}
