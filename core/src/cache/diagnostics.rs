use super::TokenCache;
use crate::{Diagnostic, TokenStore};

impl TokenCache {
    /// Returns the diagnostics of the store and of this server's configuration: settings of the store that weaken a promise, missing
    /// permissions, a key file that other users may read. Opening the cache logs each of them once. Does no I/O.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
    /// let cache = token_cache_core::TokenCache::in_memory().await?;
    /// assert_eq!(cache.diagnostics(), []);
    /// # Ok(()) }
    /// ```
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut diagnostics = self.store().diagnostics();
        diagnostics.extend_from_slice(&self.0.ring.keys().diagnostics);
        diagnostics
    }

    /// Returns the store, wrapped in the layers for encryption and near cache. Apps do not need it: it is for tools that call the methods
    /// of [`TokenStore`] directly.
    pub fn store(&self) -> &dyn TokenStore {
        &*self.0.store
    }
}
