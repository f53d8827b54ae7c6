use token_cache::{Secret, TokenCache};
use tokio::runtime::{Builder, Runtime};

use crate::Result;

/// An app server on a thread of its own. The other servers delay it only as much as separate processes would.
pub(super) struct Server {
    cache: TokenCache,
    thread: Thread,
}

/// `None` while it is being dropped.
struct Thread(Option<Runtime>);

impl Server {
    pub(super) async fn open(url: &str, secret: Secret) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let thread = Thread(Some(runtime));
        let builder = token_cache::builder(url)?.secret(secret);
        let opening = async move { Ok(builder.open().await?) };
        let cache = thread.works(opening).await?;
        Ok(Self { cache, thread })
    }

    pub(super) fn cache(&self) -> &TokenCache {
        &self.cache
    }

    /// Works on its own thread.
    pub(super) async fn works<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.thread.works(work).await
    }
}

impl Thread {
    async fn works<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        match &self.0 {
            Some(runtime) => runtime.spawn(work).await?,
            None => Err("the server is down".into()),
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
