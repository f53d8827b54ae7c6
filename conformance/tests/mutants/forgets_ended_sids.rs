use token_cache_conformance::async_trait;
use token_cache_core::{Pointer, Result, SidIndex, SidKey};

use crate::fault::Fault;

/// Lets sign-ins in under a `sid` that has ended.
#[derive(Default)]
pub(crate) struct ForgetsEndedSids;

#[async_trait]
impl Fault for ForgetsEndedSids {
    async fn point(&self, healthy: &dyn SidIndex, sid: &SidKey, pointer: Pointer) -> Result<()> {
        match healthy.point(sid, pointer).await {
            Err(error) if error.is_signed_out() => Ok(()),
            answer => answer,
        }
    }
}
