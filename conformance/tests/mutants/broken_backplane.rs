use std::sync::Arc;

use token_cache_conformance::async_trait;
use token_cache_core::{
    Backplane, BackplaneConnection, Error, ErrorKind, Invalidation, InvalidationListener,
    Published, Result, ServerId, TokenStore,
};

use crate::broken::Broken;
use crate::fault::Fault;

pub(crate) fn backplane_of(healthy: &dyn TokenStore) -> Result<&dyn Backplane> {
    healthy
        .backplane()
        .ok_or_else(|| Error::new(ErrorKind::Unsupported, "be healthy"))
}

#[async_trait]
impl<F: Fault> Backplane for Broken<F> {
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>> {
        let healthy = backplane_of(&self.healthy)?;
        self.fault.connect(healthy, server, listener).await
    }

    async fn publish(&self, origin: Option<ServerId>, what: Invalidation) -> Result<Published> {
        let healthy = backplane_of(&self.healthy)?;
        self.fault.publish(healthy, origin, what).await
    }
}
