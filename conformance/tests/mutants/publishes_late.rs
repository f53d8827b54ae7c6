use std::sync::Arc;

use token_cache_conformance::async_trait;
use token_cache_core::{
    Acknowledgement, Backplane, BackplaneConnection, InvalidationListener, InvalidationMessage,
    Result, ServerId,
};

use crate::fault::Fault;

/// Tells of an invalidation message a while after renewals that came after it.
#[derive(Default)]
pub(crate) struct PublishesLate;

#[derive(Debug)]
struct Late(Arc<dyn InvalidationListener>);

impl InvalidationListener for Late {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        let (listener, message) = (Arc::clone(&self.0), message.clone());
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            listener.published(&message);
        });
        None
    }

    fn acknowledged(&self, acknowledgement: &Acknowledgement) {
        self.0.acknowledged(acknowledgement);
    }
}

#[async_trait]
impl Fault for PublishesLate {
    async fn connect(
        &self,
        healthy: &dyn Backplane,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>> {
        healthy.connect(server, Arc::new(Late(listener))).await
    }
}
