use std::sync::Arc;

use async_trait::async_trait;
use token_cache::{
    Acknowledgement, Announcement, LeaseHolder, LinkConnection, Listener, RegistryId, Result,
};

use super::link_switch::LinkSwitch;

/// A connection that fails once it is cut.
#[derive(Debug)]
pub(super) struct Cuttable {
    pub(super) connection: Arc<dyn LinkConnection>,
    pub(super) switch: Arc<LinkSwitch>,
    pub(super) number: u64,
}

/// A listener that receives nothing after its connection was cut.
#[derive(Debug)]
pub(super) struct CuttableListener {
    pub(super) listener: Arc<dyn Listener>,
    pub(super) switch: Arc<LinkSwitch>,
    pub(super) number: u64,
}

impl Cuttable {
    /// The answer of a connection that was not cut meanwhile.
    async fn uncut<T>(&self, request: impl Future<Output = Result<T>>) -> Result<T> {
        self.switch.check(self.number)?;
        let answer = request.await?;
        self.switch.check(self.number)?;
        Ok(answer)
    }
}

#[async_trait]
impl LinkConnection for Cuttable {
    async fn renew(&self) -> Result<RegistryId> {
        self.uncut(self.connection.renew()).await
    }

    async fn registry(&self) -> Result<RegistryId> {
        self.uncut(self.connection.registry()).await
    }

    async fn reap(&self, silent: &[LeaseHolder]) -> Result<()> {
        self.uncut(self.connection.reap(silent)).await
    }

    async fn leave(&self) -> Result<()> {
        self.uncut(self.connection.leave()).await
    }

    async fn lost(&self) {
        tokio::select! {
            () = self.switch.cut_off(self.number) => {}
            () = self.connection.lost() => {}
        }
    }
}

impl Listener for CuttableListener {
    fn announced(&self, announcement: &Announcement) -> Option<Acknowledgement> {
        if self.switch.carries(self.number) {
            self.listener.announced(announcement)
        } else {
            None
        }
    }

    fn acknowledged(&self, acknowledgement: &Acknowledgement) {
        if self.switch.carries(self.number) {
            self.listener.acknowledged(acknowledgement);
        }
    }
}
