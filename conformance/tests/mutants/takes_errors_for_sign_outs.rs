use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, Error, ReadOptions, Result, SessionId, SessionRecord, TokenStore,
};

use crate::fault::Fault;

/// Says that a session it could not read has ended.
#[derive(Default)]
pub(crate) struct TakesErrorsForSignOuts;

#[async_trait]
impl Fault for TakesErrorsForSignOuts {
    async fn session(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        let session = healthy.session(account, session_id, options).await;
        session.map_err(|_| Error::signed_out("read a session"))
    }
}
