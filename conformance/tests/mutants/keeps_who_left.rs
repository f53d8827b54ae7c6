use std::sync::Arc;

use token_cache_conformance::async_trait;
use token_cache_core::{Link, LinkConnection, Listener, Result, ServerId};

use crate::{
    bent_connection::{Bend, Bent},
    fault::Fault,
};

/// Keeps who has left in the registry.
#[derive(Default)]
pub(crate) struct KeepsWhoLeft;

#[async_trait]
impl Fault for KeepsWhoLeft {
    async fn connect(
        &self,
        healthy: &dyn Link,
        server: ServerId,
        listener: Arc<dyn Listener>,
    ) -> Result<Arc<dyn LinkConnection>> {
        Ok(Bent::of(
            healthy.connect(server, listener).await?,
            KeepsWhoLeft,
        ))
    }
}

#[async_trait]
impl Bend for KeepsWhoLeft {
    async fn leave(&self, _: &dyn LinkConnection) -> Result<()> {
        Ok(())
    }
}
