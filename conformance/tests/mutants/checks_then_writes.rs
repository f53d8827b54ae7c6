use token_cache_conformance::async_trait;
use token_cache_core::{
    BeginSession, Entry, EntryAddress, PutResult, ReadOptions, Result, SessionRecord, SessionTimes,
    Timestamp, TokenStore, WriteOptions,
};

use crate::fault::Fault;

/// Looks whether the session lives, and writes in a second step that asks nothing.
#[derive(Default)]
pub(crate) struct ChecksThenWrites;

#[async_trait]
impl Fault for ChecksThenWrites {
    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        let record = healthy
            .session(at.account(), at.session_id(), ReadOptions::at(options.now))
            .await?;
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        match healthy.write(at, entry.clone(), options.clone()).await {
            Err(error) if error.is_signed_out() => {}
            answer => return answer,
        }
        let times = SessionTimes {
            requested_at: Timestamp::MAX,
            auth_time: Timestamp::MAX,
        };
        let record = SessionRecord::new(record.session_id, None, times, record.ends_at);
        let session = BeginSession::new(record, Timestamp::MAX, options.now);
        healthy.begin(at.account(), session).await?;
        healthy.write(at, entry, options).await
    }
}
