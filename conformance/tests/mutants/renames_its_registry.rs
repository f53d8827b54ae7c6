use std::sync::Arc;

use token_cache_conformance::async_trait;
use token_cache_core::{Link, LinkConnection, Listener, RegistryId, Result, ServerId};

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
        healthy: &dyn Link,
        server: ServerId,
        listener: Arc<dyn Listener>,
    ) -> Result<Arc<dyn LinkConnection>> {
        Ok(Bent::of(
            healthy.connect(server, listener).await?,
            RenamesItsRegistry,
        ))
    }
}

#[async_trait]
impl Bend for RenamesItsRegistry {
    async fn renew(&self, healthy: &dyn LinkConnection) -> Result<RegistryId> {
        healthy.renew().await?;
        RegistryId::mint()
    }
}
