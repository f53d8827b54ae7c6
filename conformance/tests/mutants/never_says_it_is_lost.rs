use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use token_cache_conformance::async_trait;
use token_cache_core::{
    Backplane, BackplaneConnection, Error, ErrorKind, InvalidationListener, RegistryId, Result,
    ServerId,
};

use crate::{
    bent_connection::{Bend, Bent},
    fault::Fault,
};

/// Its connections fail after their first renewal, and don't say that they are lost.
#[derive(Default)]
pub(crate) struct NeverSaysItIsLost;

#[derive(Default)]
struct Failing(AtomicBool);

#[async_trait]
impl Fault for NeverSaysItIsLost {
    async fn connect(
        &self,
        healthy: &dyn Backplane,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>> {
        let healthy = healthy.connect(server, listener).await?;
        Ok(Bent::of(healthy, Failing::default()))
    }
}

#[async_trait]
impl Bend for Failing {
    async fn renew(&self, healthy: &dyn BackplaneConnection) -> Result<RegistryId> {
        if self.0.swap(true, Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "renew"));
        }
        healthy.renew().await
    }

    async fn lost(&self, _: &dyn BackplaneConnection) {
        std::future::pending::<()>().await;
    }
}
