use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, Entry, EntryAddress, PutResult, ReadOptions, Result, SessionId, SessionRecord,
    Timestamp, TokenStore, WriteOptions,
};

use crate::fault::Fault;

/// Lets a session live on past its end.
#[derive(Default)]
pub(crate) struct IgnoresSessionEnd;

#[async_trait]
impl Fault for IgnoresSessionEnd {
    async fn session(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        session_id: &SessionId,
        mut options: ReadOptions,
    ) -> Result<SessionRecord> {
        options.now = Timestamp::from_millis(0);
        healthy.session(account, session_id, options).await
    }

    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        mut options: WriteOptions,
    ) -> Result<PutResult> {
        options.now = Timestamp::from_millis(0);
        healthy.write(at, entry, options).await
    }
}
