use std::{error::Error, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use token_cache_core::{ErrorKind, TokenStore, test_util::FailingStore};

/// The reason why a harness has no store to check, as an error. The check fails, and prints it in its [`Violation`](crate::Violation). It
/// should name the command that starts the store.
pub type NoStore = Box<dyn Error + Send + Sync>;

/// Opens the store under test. Implement it for a new store, and pass it to [`main`](crate::main). [`InProcess`](crate::InProcess)
/// implements it for stores that live in the process.
///
/// Checks run in parallel, each in a namespace with a random name, so one server of the store can serve all checks. The suite deletes
/// nothing that it did not write, and its data expires within a few hours.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// Returns the name of the store, such as `redis_cluster`. The test of a check is named `redis_cluster::` and the check's name.
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
    /// about the expiry. Open handles stay open. Not-before times are kept for half an hour, and a check cannot wait for that.
    ///
    /// Returns `false` if the harness cannot do this, which is the default. The checks then use lifetimes of about a minute and wait for
    /// them.
    ///
    /// # Errors
    /// Returns the reason if the harness could not change the clock or the expiries.
    async fn let_time_pass(&self, namespace: &str, by: Duration) -> Result<bool, NoStore> {
        let _ = (namespace, by);
        Ok(false)
    }
}

/// A handle of a store, and a switch that makes this handle unreachable. [`Harness::open_breakable`] returns it, for checks of how the
/// store and the cache report an outage (G4: no error is hidden).
#[derive(Clone)]
#[non_exhaustive]
pub struct Breakable {
    /// The handle of the store. It reaches the store until [`Switch::cut`] is called, and again after [`Switch::mend`].
    pub store: Arc<dyn TokenStore>,
    /// The switch that makes `store` unreachable, and reachable again.
    pub switch: Arc<dyn Switch>,
}

impl Breakable {
    /// Creates a breakable store from a handle of the store under test and a switch that makes this handle unreachable.
    ///
    /// Use it for a store whose handle has connections to a server of the store. The switch can be a proxy between the handle and that
    /// server.
    pub fn new(store: Arc<dyn TokenStore>, switch: Arc<dyn Switch>) -> Self {
        Self { store, switch }
    }

    /// Creates a breakable store from `store`, which lives in this process, with a switch of its own. After [`Switch::cut`], calls of the
    /// handle return [`Unavailable`](ErrorKind::Unavailable) and do not reach `store`. After [`Switch::mend`], they reach it again.
    ///
    /// The checks then show how the layers above the store treat errors, but not how the driver of a store does. For a store with
    /// connections, use [`new`](Self::new).
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

/// A switch that makes a store unreachable, and reachable again. A harness implements it for [`Breakable::new`].
#[async_trait]
pub trait Switch: Send + Sync {
    /// Makes the store unreachable. After it returns, no request reaches the store.
    async fn cut(&self);

    /// Makes the store reachable again. After it returns, requests reach the store; a handle may need a short time to connect.
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
