use std::{fmt, sync::Arc};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    Acknowledgement, Backplane, BackplaneConnection, Error, ErrorKind, InvalidationListener,
    InvalidationMessage, LeaseHolder, RegistryId, Result, ServerId,
};

/// The present behaviour of a backplane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum BackplaneManner {
    #[default]
    Works,
    /// Connections are lost, and no connection can be opened.
    Disconnected,
    /// No message arrives, and the connection does not report an error.
    Frozen,
    /// The store has no backplane.
    Absent,
}

/// A backplane that fails on demand. Its clones fail together.
#[derive(Debug, Clone, Default)]
pub(super) struct FailingBackplane(Arc<watch::Sender<BackplaneManner>>);

impl FailingBackplane {
    pub(super) fn set(&self, manner: BackplaneManner) {
        self.0.send_replace(manner);
    }

    pub(super) fn manner(&self) -> BackplaneManner {
        *self.0.borrow()
    }

    pub(super) async fn connect(
        &self,
        inner: &dyn Backplane,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>> {
        self.request(async {
            let manner = self.0.subscribe();
            let listener = Arc::new(Muffled {
                listener,
                manner: manner.clone(),
            });
            let connection = inner.connect(server, listener).await?;
            Ok(Arc::new(Connection { connection, manner }) as Arc<dyn BackplaneConnection>)
        })
        .await
    }

    /// Sends a request over the backplane.
    pub(super) async fn request<T>(
        &self,
        request: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let manner = self.0.subscribe();
        through(manner, request).await
    }
}

/// Sends a request over the backplane. It is never answered while the backplane is frozen.
async fn through<T>(
    manner: watch::Receiver<BackplaneManner>,
    request: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    let now = *manner.borrow();
    match now {
        BackplaneManner::Works => request.await,
        BackplaneManner::Disconnected | BackplaneManner::Absent => Err(lost()),
        BackplaneManner::Frozen => std::future::pending().await,
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Unavailable, "use the backplane")
        .store("failing")
        .message("the test told this backplane to fail")
}

/// A listener that receives messages only while the backplane works.
#[derive(Debug)]
struct Muffled {
    listener: Arc<dyn InvalidationListener>,
    manner: watch::Receiver<BackplaneManner>,
}

impl Muffled {
    fn comes_through(&self) -> bool {
        *self.manner.borrow() == BackplaneManner::Works
    }
}

impl InvalidationListener for Muffled {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        self.comes_through()
            .then(|| self.listener.published(message))
            .flatten()
    }

    fn acknowledged(&self, acknowledgement: &Acknowledgement) {
        if self.comes_through() {
            self.listener.acknowledged(acknowledgement);
        }
    }
}

struct Connection {
    connection: Arc<dyn BackplaneConnection>,
    manner: watch::Receiver<BackplaneManner>,
}

#[async_trait]
impl BackplaneConnection for Connection {
    async fn renew(&self) -> Result<RegistryId> {
        through(self.manner.clone(), self.connection.renew()).await
    }

    async fn registry(&self) -> Result<RegistryId> {
        through(self.manner.clone(), self.connection.registry()).await
    }

    async fn reap(&self, silent: &[LeaseHolder]) -> Result<()> {
        through(self.manner.clone(), self.connection.reap(silent)).await
    }

    async fn leave(&self) -> Result<()> {
        through(self.manner.clone(), self.connection.leave()).await
    }

    async fn lost(&self) {
        let mut manner = self.manner.clone();
        tokio::select! {
            () = self.connection.lost() => {}
            _ = manner.wait_for(|manner| *manner == BackplaneManner::Disconnected) => {}
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.connection).finish()
    }
}
