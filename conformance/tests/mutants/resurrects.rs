use token_cache_conformance::async_trait;
use token_cache_core::{
    BeginSession, Entry, EntryAddress, PutResult, Result, SessionRecord, SessionTimes, Timestamp,
    TokenStore, WriteOptions,
};

use crate::fault::Fault;

/// Writes to whatever address it is given: a set after a delete, as plain caches do.
#[derive(Default)]
pub(crate) struct Resurrects;

#[async_trait]
impl Fault for Resurrects {
    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        match healthy.write(at, entry.clone(), options.clone()).await {
            Err(error) if error.is_signed_out() => {}
            answer => return answer,
        }
        // The session is later than every not-before time, and ends with the entry.
        let times = SessionTimes {
            requested_at: Timestamp::MAX,
            auth_time: Timestamp::MAX,
        };
        let record = SessionRecord::new(*at.session_id(), None, times, entry.expires_at());
        let session = BeginSession::new(record, Timestamp::MAX, options.now);
        healthy.begin(at.account(), session).await?;
        healthy.write(at, entry, options).await
    }
}
