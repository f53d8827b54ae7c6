use std::sync::Arc;

use token_cache_conformance::async_trait;
use token_cache_core::{
    Backplane, BackplaneConnection, InvalidationListener, RegistryId, Result, ServerId,
};

use crate::{
    bent_connection::{Bend, Bent},
    fault::Fault,
};

/// Has another registry id for each renewal.
#[derive(Default)]
pub(crate) struct RenamesItsRegistry;

#[async_trait]
impl Fault for RenamesItsRegistry {
    async fn connect(
        &self,
        healthy: &dyn Backplane,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>> {
        Ok(Bent::of(
            healthy.connect(server, listener).await?,
            RenamesItsRegistry,
        ))
    }
}

#[async_trait]
impl Bend for RenamesItsRegistry {
    async fn renew(&self, healthy: &dyn BackplaneConnection) -> Result<RegistryId> {
        healthy.renew().await?;
        RegistryId::mint()
    }
}
