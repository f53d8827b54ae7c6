use std::sync::Arc;

use token_cache_conformance::async_trait;
use token_cache_core::{
    Acknowledgement, Announcement, Link, LinkConnection, Listener, Result, ServerId,
};

use crate::fault::Fault;

/// Tells of an announcement a while after renewals that came after it.
#[derive(Default)]
pub(crate) struct AnnouncesLate;

#[derive(Debug)]
struct Late(Arc<dyn Listener>);

impl Listener for Late {
    fn announced(&self, announcement: &Announcement) -> Option<Acknowledgement> {
        let (listener, announcement) = (Arc::clone(&self.0), announcement.clone());
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            listener.announced(&announcement);
        });
        None
    }

    fn acknowledged(&self, acknowledgement: &Acknowledgement) {
        self.0.acknowledged(acknowledgement);
    }
}

#[async_trait]
impl Fault for AnnouncesLate {
    async fn connect(
        &self,
        healthy: &dyn Link,
        server: ServerId,
        listener: Arc<dyn Listener>,
    ) -> Result<Arc<dyn LinkConnection>> {
        healthy.connect(server, Arc::new(Late(listener))).await
    }
}
