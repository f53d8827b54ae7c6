use std::{error::Error, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use token_cache_core::{ErrorKind, TokenStore, test_util::FailingStore};

/// Why there is no store to check. Its text is what a reader of the failed run sees: name the command that fixes it.
pub type NoStore = Box<dyn Error + Send + Sync>;

/// How the suite gets at the store under test.
///
/// Checks run in parallel, each in a namespace of its own with a random name, so a server may be shared: nothing is ever
/// wiped, and nothing left behind lives longer than a few hours.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// What the case is called in the names of its checks: `redis_cluster`, say.
    fn name(&self) -> &str;

    /// Opens the store in a namespace: a prefix, a table, a map. Its name has up to 48 bytes: letters, digits, `-`, `:`.
    ///
    /// Opened again with the same name it is another server's handle to the same data, with a connection of its own if the
    /// store has connections.
    ///
    /// # Errors
    /// Where there is no store to be had; the check fails, it is never skipped.
    async fn open(&self, namespace: &str) -> Result<Arc<dyn TokenStore>, NoStore>;

    /// Opens the store in a namespace in such a way that it can be made unreachable, by a proxy in front of it, say.
    ///
    /// Only this handle is to be cut off: other checks go on meanwhile.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    async fn open_breakable(&self, namespace: &str) -> Result<Breakable, NoStore>;

    /// Lets `by` pass in a namespace without waiting: either the store's clock moves forward by `by`, or everything that is stored
    /// there expires `by` earlier, as far as the store's own clock decides on it. Not-before markers live for half an hour, and a
    /// check cannot wait for that. Handles that are open stay open.
    ///
    /// Returns `false` when the harness cannot do this, which is the default. The checks then use lifetimes of about a minute and
    /// wait for them.
    ///
    /// # Errors
    /// The harness failed to do it.
    async fn let_time_pass(&self, namespace: &str, by: Duration) -> Result<bool, NoStore> {
        let _ = (namespace, by);
        Ok(false)
    }
}

/// A store that can be made unreachable.
#[derive(Clone)]
#[non_exhaustive]
pub struct Breakable {
    /// The store.
    pub store: Arc<dyn TokenStore>,
    /// Cuts it off.
    pub switch: Arc<dyn Switch>,
}

impl Breakable {
    /// A store and what cuts it off.
    pub fn new(store: Arc<dyn TokenStore>, switch: Arc<dyn Switch>) -> Self {
        Self { store, switch }
    }

    /// A store that fails at its front door. It proves how errors travel above the store, and nothing of the store's own
    /// driver: good enough for a store that lives in this process.
    pub fn at_the_front_door(store: Arc<dyn TokenStore>) -> Self {
        let store = FailingStore::new(store);
        Self {
            store: Arc::new(store.clone()),
            switch: Arc::new(store),
        }
    }
}

impl fmt::Debug for Breakable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breakable")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// Makes a store unreachable, and reachable again.
#[async_trait]
pub trait Switch: Send + Sync {
    /// When it returns, no request reaches the store.
    async fn cut(&self);

    /// When it returns, requests reach the store again; a handle may need a moment to connect.
    async fn mend(&self);
}

#[async_trait]
impl Switch for FailingStore {
    async fn cut(&self) {
        self.fail_with(ErrorKind::Unavailable);
    }

    async fn mend(&self) {
        self.work();
    }
}
