use std::sync::{Arc, Mutex, PoisonError};

use token_cache_conformance::async_trait;
use token_cache_core::{
    Acknowledgement, Backplane, BackplaneConnection, InvalidationListener, InvalidationMessage,
    Result, ServerId,
};

use crate::fault::Fault;

type Everybody = Arc<Mutex<Vec<Arc<dyn InvalidationListener>>>>;

/// Carries each acknowledgement to every server.
#[derive(Default)]
pub(crate) struct AcknowledgesToEveryServer(Everybody);

#[derive(Debug)]
struct Shared {
    listener: Arc<dyn InvalidationListener>,
    everybody: Everybody,
}

impl InvalidationListener for Shared {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        self.listener.published(message)
    }

    fn acknowledged(&self, acknowledgement: &Acknowledgement) {
        let everybody = self
            .everybody
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for listener in everybody.iter() {
            listener.acknowledged(acknowledgement);
        }
    }
}

#[async_trait]
impl Fault for AcknowledgesToEveryServer {
    async fn connect(
        &self,
        healthy: &dyn Backplane,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>> {
        let everybody = Arc::clone(&self.0);
        everybody
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::clone(&listener));
        let shared = Shared {
            listener,
            everybody,
        };
        healthy.connect(server, Arc::new(shared)).await
    }
}
