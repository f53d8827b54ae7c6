use std::{error::Error, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use token_cache_core::{ErrorKind, TokenStore, test_util::FailingStore};

/// The reason why a harness has no store to check. A failed check prints it, so it should name the command that fixes it.
pub type NoStore = Box<dyn Error + Send + Sync>;

/// Opens the store under test.
///
/// Checks run in parallel, each in a namespace with a random name, so a server may be shared. The suite deletes nothing that it did not
/// write, and its data expires within a few hours.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// Returns the name of the store in the names of its tests, such as `redis_cluster`.
    fn name(&self) -> &str;

    /// Opens the store in a namespace, which can be a prefix, a table or a map. The name has up to 48 bytes: letters, digits, `-`, `:`.
    ///
    /// A second call with the same name returns the handle of another server to the same data. If the store has connections, the
    /// handle has its own.
    ///
    /// # Errors
    /// Returns the reason if there is no store. The check then fails; it is never skipped.
    async fn open(&self, namespace: &str) -> Result<Arc<dyn TokenStore>, NoStore>;

    /// Opens the store in a namespace with a switch that makes it unreachable, such as a proxy in front of a server.
    ///
    /// The switch must affect only this handle, because other checks run at the same time.
    ///
    /// # Errors
    /// Returns the same errors as [`open`](Self::open).
    async fn open_breakable(&self, namespace: &str) -> Result<Breakable, NoStore>;

    /// Lets the duration `by` pass in a namespace without waiting, and returns `true`.
    ///
    /// Either the store's clock moves forward by `by`, or everything stored there expires `by` earlier, if the store's own clock decides
    /// about the expiry. Open handles stay open. Not-before markers live for half an hour, and a check cannot wait for that.
    ///
    /// Returns `false` when the harness cannot do this, which is the default. The checks then use lifetimes of about a minute and
    /// wait for them.
    ///
    /// # Errors
    /// Returns the reason if the harness could not change the clock or the expiries.
    async fn let_time_pass(&self, namespace: &str, by: Duration) -> Result<bool, NoStore> {
        let _ = (namespace, by);
        Ok(false)
    }
}

/// A store that can be made unreachable.
#[derive(Clone)]
#[non_exhaustive]
pub struct Breakable {
    /// The handle of the store.
    pub store: Arc<dyn TokenStore>,
    /// Makes `store` unreachable, and reachable again.
    pub switch: Arc<dyn Switch>,
}

impl Breakable {
    /// Creates a breakable store of a handle and its switch.
    pub fn new(store: Arc<dyn TokenStore>, switch: Arc<dyn Switch>) -> Self {
        Self { store, switch }
    }

    /// Creates a breakable store that returns errors instead of calling `store`.
    ///
    /// It shows how the layers above the store treat errors, but not how the store's driver does. That is enough for a store in this
    /// process.
    pub fn in_process(store: Arc<dyn TokenStore>) -> Self {
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
    /// Makes the store unreachable. After it returns, no request reaches the store.
    async fn cut(&self);

    /// Makes the store reachable again. After it returns, requests reach the store; a handle may need a moment to connect.
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
