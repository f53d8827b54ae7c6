use std::sync::Arc;

use async_trait::async_trait;
use token_cache::{
    Result,
    store::{
        Acknowledgement, BackplaneConnection, InvalidationListener, InvalidationMessage,
        LeaseHolder, RegistryId,
    },
};

use super::backplane_switch::BackplaneSwitch;

/// A connection that fails once it is cut.
#[derive(Debug)]
pub(super) struct Cuttable {
    pub(super) connection: Arc<dyn BackplaneConnection>,
    pub(super) switch: Arc<BackplaneSwitch>,
    pub(super) number: u64,
}

/// A listener that receives nothing after its connection was cut.
#[derive(Debug)]
pub(super) struct CuttableListener {
    pub(super) listener: Arc<dyn InvalidationListener>,
    pub(super) switch: Arc<BackplaneSwitch>,
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
impl BackplaneConnection for Cuttable {
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

impl InvalidationListener for CuttableListener {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        if self.switch.carries(self.number) {
            self.listener.published(message)
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
