use token_cache_conformance::async_trait;
use token_cache_core::{Result, SidEntry, SidIndex, SidKey};

use crate::fault::Fault;

/// Lets sign-ins in under a `sid` that has ended.
#[derive(Default)]
pub(crate) struct ForgetsEndedSids;

#[async_trait]
impl Fault for ForgetsEndedSids {
    async fn add(&self, healthy: &dyn SidIndex, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        match healthy.add(sid, sid_entry).await {
            Err(error) if error.is_signed_out() => Ok(()),
            answer => answer,
        }
    }
}
