use std::sync::Arc;

use token_cache_conformance::async_trait;
use token_cache_core::{
    Announced, Error, ErrorKind, Invalidation, Link, LinkConnection, Listener, Result, ServerId,
    TokenStore,
};

use crate::broken::Broken;
use crate::fault::Fault;

pub(crate) fn link_of(healthy: &dyn TokenStore) -> Result<&dyn Link> {
    healthy
        .link()
        .ok_or_else(|| Error::new(ErrorKind::Unsupported, "be healthy"))
}

#[async_trait]
impl<F: Fault> Link for Broken<F> {
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn Listener>,
    ) -> Result<Arc<dyn LinkConnection>> {
        let healthy = link_of(&self.healthy)?;
        self.fault.connect(healthy, server, listener).await
    }

    async fn announce(&self, signer: Option<ServerId>, what: Invalidation) -> Result<Announced> {
        let healthy = link_of(&self.healthy)?;
        self.fault.announce(healthy, signer, what).await
    }
}
