use std::{error::Error, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use token_cache_core::{ErrorKind, TokenStore, test_util::FailingStore};

/// An error that says why a harness has no store to check, for example because no server runs. Return it from [`Harness::open`]. Its text
/// should name the command that starts the store.
///
/// The check then fails, and its [`Violation`](crate::Violation) contains the text.
pub type NoStore = Box<dyn Error + Send + Sync>;

/// The connection between the suite and the store under test: it opens the store for each check. Implement it for a new store, and pass it
/// to [`main`](crate::main).
///
/// For a store that lives in the process, use [`InProcess`](crate::InProcess), which implements it.
///
/// Checks run in parallel, each in a namespace with a random name, so one server of the store can serve all checks. The suite deletes
/// nothing that it did not write, so that server may contain other data. The suite leaves its own data there: most of it expires within a
/// day, and that of one check can last 30 days.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// Returns the name of the store, such as `redis_cluster`. The name of each test is this name, `::` and the name of the check.
    fn name(&self) -> &str;

    /// Opens the store in the namespace with the given name, and returns a handle to it. A namespace can be a prefix, a table or a map. Its
    /// name has at most 48 bytes: letters, digits, `-` and `:`.
    ///
    /// The suite calls it several times with the same name, once for each app server that a check needs. Each call must return a handle to
    /// the same data. If the store has connections, each handle must have its own.
    ///
    /// # Errors
    /// The reason if there is no store. The check then fails, and is never skipped.
    async fn open(&self, namespace: &str) -> Result<Arc<dyn TokenStore>, NoStore>;

    /// Opens the store like [`open`](Self::open), with a switch that makes it unreachable, such as a proxy in front of the server of the
    /// store.
    ///
    /// The switch must affect only the returned handle, because other checks run at the same time.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    async fn open_breakable(&self, namespace: &str) -> Result<Breakable, NoStore>;

    /// Lets the duration `by` pass in a namespace without waiting, and returns `true`. Checks use it for lifetimes that are too long to
    /// wait for: not-before times are stored for half an hour.
    ///
    /// There are two ways. The harness moves the store's clock forward by `by`. If the store's own clock decides what has expired, the
    /// harness makes everything in the namespace expire earlier by `by`. Open handles must stay open.
    ///
    /// Returns `false` if the harness cannot do this, which is the default. One check then waits for about a minute, with shorter
    /// lifetimes.
    ///
    /// # Errors
    /// The reason if the harness could not change the clock or the expiries. The check then fails.
    async fn let_time_pass(&self, namespace: &str, by: Duration) -> Result<bool, NoStore> {
        let _ = (namespace, by);
        Ok(false)
    }
}

/// A handle of the store under test, and a switch that makes this handle unreachable. [`Harness::open_breakable`] returns it.
///
/// Checks use it to test how the store and the cache report an outage (G4: no error is hidden).
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
    /// Use it for a store with a server. The switch can be a proxy between the handle and that server. For a store that lives in this
    /// process, use [`in_process`](Self::in_process).
    pub fn new(store: Arc<dyn TokenStore>, switch: Arc<dyn Switch>) -> Self {
        Self { store, switch }
    }

    /// Creates a breakable store from `store`, which lives in this process. It creates both fields: a
    /// [`FailingStore`](token_cache_core::test_util::FailingStore) around `store`, and the switch of that store. While a check has cut the
    /// switch, every call returns [`Unavailable`](ErrorKind::Unavailable) and does not reach `store`.
    ///
    /// The checks then show how the cache treats errors of the store, but not how the driver of a store reports an outage. For a store with
    /// a server, use [`new`](Self::new).
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

/// A switch that makes a store unreachable, and reachable again. The author of a store implements it for [`Breakable::new`], and the checks
/// of outages call it.
#[async_trait]
pub trait Switch: Send + Sync {
    /// Makes the store unreachable. After it returns, no request reaches the store.
    async fn cut(&self);

    /// Makes the store reachable again. After it returns, requests reach the store. A handle may need a short time to connect again.
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
