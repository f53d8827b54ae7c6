use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, BeginSession, Begun, Entry, EntryAddress, EvictOptions, EvictTarget, Evicted,
    PutResult, ReadOptions, Result, SessionId, SessionRecord, TokenStore, WriteOptions,
};

use crate::fault::Fault;

/// Leaves the subject out of its keys.
#[derive(Default)]
pub(crate) struct MixesAccounts;

#[async_trait]
impl Fault for MixesAccounts {
    async fn begin(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        session: BeginSession,
    ) -> Result<Begun> {
        healthy.begin(&known(account), session).await
    }

    async fn session(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        healthy.session(&known(account), session_id, options).await
    }

    async fn read(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        options: ReadOptions,
    ) -> Result<Option<Entry>> {
        healthy.read(&there(at), options).await
    }

    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        healthy.write(&there(at), entry, options).await
    }

    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        healthy.evict(&known(account), target, options).await
    }

    async fn sessions(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        healthy.sessions(&known(account), options).await
    }
}

fn known(account: &AccountKey) -> AccountKey {
    AccountKey::new(*account.issuer(), [0; 16])
}

fn there(at: &EntryAddress) -> EntryAddress {
    EntryAddress::new(known(at.account()), *at.session_id(), *at.name())
}
