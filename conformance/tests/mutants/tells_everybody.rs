use std::sync::{Arc, Mutex, PoisonError};

use token_cache_conformance::async_trait;
use token_cache_core::{
    Acknowledgement, Announcement, Link, LinkConnection, Listener, Result, ServerId,
};

use crate::fault::Fault;

type Everybody = Arc<Mutex<Vec<Arc<dyn Listener>>>>;

/// Carries each acknowledgement to every server.
#[derive(Default)]
pub(crate) struct TellsEverybody(Everybody);

#[derive(Debug)]
struct Shared {
    listener: Arc<dyn Listener>,
    everybody: Everybody,
}

impl Listener for Shared {
    fn announced(&self, announcement: &Announcement) -> Option<Acknowledgement> {
        self.listener.announced(announcement)
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
impl Fault for TellsEverybody {
    async fn connect(
        &self,
        healthy: &dyn Link,
        server: ServerId,
        listener: Arc<dyn Listener>,
    ) -> Result<Arc<dyn LinkConnection>> {
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
