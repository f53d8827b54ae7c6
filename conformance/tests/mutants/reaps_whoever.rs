use std::sync::{Arc, Mutex, PoisonError};

use token_cache_conformance::async_trait;
use token_cache_core::{LeaseHolder, Link, LinkConnection, Listener, Result, ServerId};

use crate::{
    bent_connection::{Bend, Bent},
    fault::Fault,
};

/// Removes a server from the registry whether or not it has renewed since.
#[derive(Default)]
pub(crate) struct ReapsWhoever(Connections);

struct Reaping(Connections);

type Connections = Arc<Mutex<Vec<(ServerId, Arc<dyn LinkConnection>)>>>;

#[async_trait]
impl Fault for ReapsWhoever {
    async fn connect(
        &self,
        healthy: &dyn Link,
        server: ServerId,
        listener: Arc<dyn Listener>,
    ) -> Result<Arc<dyn LinkConnection>> {
        let healthy = healthy.connect(server, listener).await?;
        let all = Arc::clone(&self.0);
        all.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((server, Arc::clone(&healthy)));
        Ok(Bent::of(healthy, Reaping(all)))
    }
}

#[async_trait]
impl Bend for Reaping {
    async fn reap(&self, _: &dyn LinkConnection, silent: &[LeaseHolder]) -> Result<()> {
        let all = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for (server, connection) in all {
            if silent.iter().any(|holder| holder.server == server) {
                connection.leave().await?;
            }
        }
        Ok(())
    }
}
