use std::sync::Arc;

use token_cache_conformance::async_trait;
use token_cache_core::{Backplane, BackplaneConnection, InvalidationListener, Result, ServerId};

use crate::{
    bent_connection::{Bend, Bent},
    fault::Fault,
};

/// Keeps servers that have left in the registry.
#[derive(Default)]
pub(crate) struct KeepsServersThatLeft;

#[async_trait]
impl Fault for KeepsServersThatLeft {
    async fn connect(
        &self,
        healthy: &dyn Backplane,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>> {
        Ok(Bent::of(
            healthy.connect(server, listener).await?,
            KeepsServersThatLeft,
        ))
    }
}

#[async_trait]
impl Bend for KeepsServersThatLeft {
    async fn leave(&self, _: &dyn BackplaneConnection) -> Result<()> {
        Ok(())
    }
}
