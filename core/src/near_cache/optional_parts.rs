use async_trait::async_trait;

use super::NearCache;
use crate::{
    AccountKey, AccountListOptions, AccountPage, AcquireOptions, Acquired, CutoffBound,
    EntryAddress, Error, ErrorKind, EvictOptions, Evicted, IssuerKey, LockOwner, NotBeforeOptions,
    NotBeforeScope, RefreshLocks, Result, SidAccounts, SidEntry, SidIndex, SidKey, Timestamp,
    TokenStore, Version,
};

impl<S: TokenStore> NearCache<S> {
    fn locks(&self) -> Result<&dyn RefreshLocks> {
        let locks = self.store.refresh_locks();
        locks.ok_or_else(|| {
            unsupported(
                "use a refresh lock",
                "this store has no refresh locks; use a store that has them, such as Redis",
            )
        })
    }

    fn index(&self) -> Result<&dyn SidIndex> {
        let sid_index = self.store.sid_index();
        sid_index.ok_or_else(|| {
            unsupported(
                "use the index of `sid`s",
                "this store has no index of `sid`s; use a store that has one, such as Redis",
            )
        })
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<S: TokenStore> RefreshLocks for NearCache<S> {
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired> {
        let acquired = self.locks()?.acquire(at, options).await?;
        if matches!(acquired, Acquired::Fresher(_)) {
            drop(self.changing(&[*at.account()]));
        }
        Ok(acquired)
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
        let _changing = self.changing(&[*at.account()]);
        self.locks()?.end_if_version(at, version, options).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<S: TokenStore> SidIndex for NearCache<S> {
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
        let _changing = self.changing(accounts);
        match self.index() {
            Ok(index) => {
                index
                    .evict_accounts(accounts, at, not_before, options)
                    .await
            }
            Err(error) => accounts.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}

fn unsupported(operation: &'static str, message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, operation).message(message)
}
