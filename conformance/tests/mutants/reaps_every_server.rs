use std::sync::{Arc, Mutex, PoisonError};

use token_cache_conformance::async_trait;
use token_cache_core::{
    Backplane, BackplaneConnection, InvalidationListener, LeaseHolder, Result, ServerId,
};

use crate::{
    bent_connection::{Bend, Bent},
    fault::Fault,
};

/// Removes a server from the registry whether or not it has renewed since.
#[derive(Default)]
pub(crate) struct ReapsEveryServer(Connections);

struct Reaping(Connections);

type Connections = Arc<Mutex<Vec<(ServerId, Arc<dyn BackplaneConnection>)>>>;

#[async_trait]
impl Fault for ReapsEveryServer {
    async fn connect(
        &self,
        healthy: &dyn Backplane,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>> {
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
    async fn reap(&self, _: &dyn BackplaneConnection, silent: &[LeaseHolder]) -> Result<()> {
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
