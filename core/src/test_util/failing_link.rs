use std::{fmt, sync::Arc};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    Acknowledgement, Announcement, Error, ErrorKind, LeaseHolder, Link, LinkConnection, Listener,
    RegistryId, Result, ServerId,
};

/// What a link does for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum LinkManner {
    #[default]
    Works,
    /// Connections are lost, and none can be opened.
    EvictTarget,
    /// Nothing comes through, and nobody is told.
    Frozen,
    /// There is none.
    Absent,
}

/// A link that fails on demand; its clones fail together.
#[derive(Debug, Clone, Default)]
pub(super) struct FailingLink(Arc<watch::Sender<LinkManner>>);

impl FailingLink {
    pub(super) fn set(&self, manner: LinkManner) {
        self.0.send_replace(manner);
    }

    pub(super) fn manner(&self) -> LinkManner {
        *self.0.borrow()
    }

    pub(super) async fn connect(
        &self,
        inner: &dyn Link,
        server: ServerId,
        listener: Arc<dyn Listener>,
    ) -> Result<Arc<dyn LinkConnection>> {
        self.request(async {
            let manner = self.0.subscribe();
            let listener = Arc::new(Muffled {
                listener,
                manner: manner.clone(),
            });
            let connection = inner.connect(server, listener).await?;
            Ok(Arc::new(Connection { connection, manner }) as Arc<dyn LinkConnection>)
        })
        .await
    }

    /// A request over it.
    pub(super) async fn request<T>(
        &self,
        request: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let manner = self.0.subscribe();
        through(manner, request).await
    }
}

/// A request over the link: none is answered while it is frozen.
async fn through<T>(
    manner: watch::Receiver<LinkManner>,
    request: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    let now = *manner.borrow();
    match now {
        LinkManner::Works => request.await,
        LinkManner::EvictTarget | LinkManner::Absent => Err(lost()),
        LinkManner::Frozen => std::future::pending().await,
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Unavailable, "use the link")
        .store("failing")
        .message("it was told to fail")
}

/// Hears what comes through.
#[derive(Debug)]
struct Muffled {
    listener: Arc<dyn Listener>,
    manner: watch::Receiver<LinkManner>,
}

impl Muffled {
    fn comes_through(&self) -> bool {
        *self.manner.borrow() == LinkManner::Works
    }
}

impl Listener for Muffled {
    fn announced(&self, announcement: &Announcement) -> Option<Acknowledgement> {
        self.comes_through()
            .then(|| self.listener.announced(announcement))
            .flatten()
    }

    fn acknowledged(&self, acknowledgement: &Acknowledgement) {
        if self.comes_through() {
            self.listener.acknowledged(acknowledgement);
        }
    }
}

struct Connection {
    connection: Arc<dyn LinkConnection>,
    manner: watch::Receiver<LinkManner>,
}

#[async_trait]
impl LinkConnection for Connection {
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
            _ = manner.wait_for(|manner| *manner == LinkManner::EvictTarget) => {}
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.connection).finish()
    }
}
