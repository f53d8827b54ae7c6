use std::sync::Arc;

use async_trait::async_trait;

use super::FailingStore;
use crate::{
    AccountKey, AcquireOptions, Acquired, Announced, Directory, EntryAddress, Error, ErrorKind,
    Escrow, EscrowName, Escrowed, EvictOptions, Evicted, Invalidation, IssuerKey, Link,
    LinkConnection, Listener, LockOwner, MarkOptions, Marking, Page, Pointed, Pointer, ReadOptions,
    RefreshLocks, Result, Scan, ServerId, SidKey, Timestamp, Until, Version,
};

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Link for FailingStore {
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn Listener>,
    ) -> Result<Arc<dyn LinkConnection>> {
        let link = self.inner.link().ok_or_else(unsupported)?;
        let connecting = self.link.connect(link, server, listener);
        self.request("open the link", connecting).await
    }

    async fn announce(&self, signer: Option<ServerId>, what: Invalidation) -> Result<Announced> {
        let link = self.inner.link().ok_or_else(unsupported)?;
        let announcing = self.request("announce", link.announce(signer, what));
        self.link.request(announcing).await
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
impl Escrow for FailingStore {
    async fn keep(
        &self,
        account: &AccountKey,
        name: &EscrowName,
        escrowed: Escrowed,
        options: ReadOptions,
    ) -> Result<()> {
        let escrow = self.inner.escrow().ok_or_else(unsupported)?;
        self.request(
            "keep an escrow",
            escrow.keep(account, name, escrowed, options),
        )
        .await
    }

    async fn find(
        &self,
        account: &AccountKey,
        name: &EscrowName,
        options: ReadOptions,
    ) -> Result<Vec<Escrowed>> {
        let escrow = self.inner.escrow().ok_or_else(unsupported)?;
        self.request("find an escrow", escrow.find(account, name, options))
            .await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Directory for FailingStore {
    async fn point(&self, sid: &SidKey, pointer: Pointer) -> Result<()> {
        let directory = self.inner.directory().ok_or_else(unsupported)?;
        self.request("enter a `sid`", directory.point(sid, pointer))
            .await
    }

    async fn cut_provider_session(
        &self,
        sid: &SidKey,
        until: Until,
        options: MarkOptions,
    ) -> Result<Pointed> {
        let directory = self.inner.directory().ok_or_else(unsupported)?;
        self.request(
            "sign out a `sid`",
            directory.cut_provider_session(sid, until, options),
        )
        .await
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        let directory = self.inner.directory().ok_or_else(unsupported)?;
        self.request(
            "check the issuer",
            directory.check_issuer(issuer, requested_at, not_after),
        )
        .await
    }

    async fn cut_issuer(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: MarkOptions,
    ) -> Result<()> {
        let directory = self.inner.directory().ok_or_else(unsupported)?;
        self.request(
            "sign out an issuer",
            directory.cut_issuer(issuer, at, options),
        )
        .await
    }

    async fn accounts(&self, scan: &Scan) -> Result<Page> {
        let directory = self.inner.directory().ok_or_else(unsupported)?;
        self.request("list accounts", directory.accounts(scan))
            .await
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        marking: Marking,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        let mut evicted = Vec::with_capacity(accounts.len());
        for account in accounts {
            let Some(directory) = self.inner.directory() else {
                evicted.push(Err(unsupported()));
                continue;
            };
            let one = async {
                let one = std::slice::from_ref(account);
                directory
                    .evict_accounts(one, at, marking, options)
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
