use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use token_cache_core::{Secret, TokenStore, test_util::LayeredStore};

use crate::{Breakable, Harness, NoStore};

/// A [`Harness`] that encrypts the entries of another harness's stores, as every [`TokenCache`](token_cache_core::TokenCache) does.
///
/// Pass it to [`main`](crate::main) in addition to the harness without encryption. The checks then run on the store once without and once
/// with the encryption.
pub struct Sealed {
    inner: Arc<dyn Harness>,
    name: String,
    secret: Secret,
}

impl Sealed {
    /// Creates the harness `sealed(NAME)` from the harness `inner`, whose name is `NAME`. All entries are encrypted under a key that is
    /// derived from `secret`, for example from [`Secret::random`].
    pub fn new(inner: Arc<dyn Harness>, secret: Secret) -> Self {
        Self {
            name: format!("sealed({})", inner.name()),
            inner,
            secret,
        }
    }

    async fn seal(&self, store: Arc<dyn TokenStore>) -> Result<Arc<dyn TokenStore>, NoStore> {
        Ok(Arc::new(LayeredStore::new(store, &self.secret).await?))
    }
}

#[async_trait]
impl Harness for Sealed {
    fn name(&self) -> &str {
        &self.name
    }

    async fn open(&self, namespace: &str) -> Result<Arc<dyn TokenStore>, NoStore> {
        self.seal(self.inner.open(namespace).await?).await
    }

    async fn open_breakable(&self, namespace: &str) -> Result<Breakable, NoStore> {
        let Breakable { store, switch } = self.inner.open_breakable(namespace).await?;
        Ok(Breakable::new(self.seal(store).await?, switch))
    }

    async fn let_time_pass(&self, namespace: &str, by: Duration) -> Result<bool, NoStore> {
        self.inner.let_time_pass(namespace, by).await
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
