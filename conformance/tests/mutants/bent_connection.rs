//! A backplane connection with one fault.

use std::{fmt, sync::Arc};

use token_cache_conformance::async_trait;
use token_cache_core::{BackplaneConnection, LeaseHolder, RegistryId, Result};

/// A fault of a connection. By default each step does what the healthy connection does.
#[async_trait]
pub(crate) trait Bend: Send + Sync + 'static {
    async fn renew(&self, healthy: &dyn BackplaneConnection) -> Result<RegistryId> {
        healthy.renew().await
    }

    async fn reap(&self, healthy: &dyn BackplaneConnection, silent: &[LeaseHolder]) -> Result<()> {
        healthy.reap(silent).await
    }

    async fn leave(&self, healthy: &dyn BackplaneConnection) -> Result<()> {
        healthy.leave().await
    }

    async fn lost(&self, healthy: &dyn BackplaneConnection) {
        healthy.lost().await;
    }
}

pub(crate) struct Bent<B> {
    pub(crate) healthy: Arc<dyn BackplaneConnection>,
    pub(crate) bend: B,
}

impl<B: Bend> Bent<B> {
    pub(crate) fn of(
        healthy: Arc<dyn BackplaneConnection>,
        bend: B,
    ) -> Arc<dyn BackplaneConnection> {
        Arc::new(Self { healthy, bend })
    }
}

#[async_trait]
impl<B: Bend> BackplaneConnection for Bent<B> {
    async fn renew(&self) -> Result<RegistryId> {
        self.bend.renew(&*self.healthy).await
    }

    async fn registry(&self) -> Result<RegistryId> {
        self.healthy.registry().await
    }

    async fn reap(&self, silent: &[LeaseHolder]) -> Result<()> {
        self.bend.reap(&*self.healthy, silent).await
    }

    async fn leave(&self) -> Result<()> {
        self.bend.leave(&*self.healthy).await
    }

    async fn lost(&self) {
        self.bend.lost(&*self.healthy).await;
    }
}

impl<B> fmt::Debug for Bent<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bent")
            .field("healthy", &self.healthy)
            .finish_non_exhaustive()
    }
}
