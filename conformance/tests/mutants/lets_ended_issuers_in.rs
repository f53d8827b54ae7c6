use token_cache_conformance::async_trait;
use token_cache_core::{IssuerKey, Result, SidIndex, Timestamp};

use crate::fault::Fault;

/// Reads no issuer's not-before time.
#[derive(Default)]
pub(crate) struct LetsEndedIssuersIn;

#[async_trait]
impl Fault for LetsEndedIssuersIn {
    async fn check_issuer(
        &self,
        _: &dyn SidIndex,
        _: &IssuerKey,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<()> {
        Ok(())
    }
}
