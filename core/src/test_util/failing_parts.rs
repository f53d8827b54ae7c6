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
        self.request("take a refresh lock", self.inner.acquire(at, options))
            .await
    }

    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        let ending = self.inner.end_if_version(at, version, options);
        self.request("end a session", ending).await
    }

    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()> {
        self.request("release a refresh lock", self.inner.release(at, owner))
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
        self.request(
            "keep a background session",
            self.inner.keep(account, name, background_session, options),
        )
        .await
    }

    async fn find(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        options: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        self.request(
            "find a background session",
            self.inner.find(account, name, options),
        )
        .await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl SidIndex for FailingStore {
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        self.request("add to the `sid` index", self.inner.add(sid, sid_entry))
            .await
    }

    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        self.request(
            "sign out a `sid`",
            self.inner.set_sid_not_before(sid, bound, options),
        )
        .await
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        self.request(
            "check the issuer",
            self.inner.check_issuer(issuer, requested_at, not_after),
        )
        .await
    }

    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()> {
        self.request(
            "sign out an issuer",
            self.inner.set_issuer_not_before(issuer, at, options),
        )
        .await
    }

    async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage> {
        self.request("list accounts", self.inner.accounts(scan))
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
            let one = async {
                let one = std::slice::from_ref(account);
                self.inner
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
