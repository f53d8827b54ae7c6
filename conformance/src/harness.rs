use std::{error::Error, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use token_cache_core::{ErrorKind, TokenStore, test_util::FailingStore};

/// An error that says why a [`Harness`] has no store to check, for example because no Redis server runs. Return it from the methods of the
/// harness. Its text should name the command that starts the store.
///
/// The check then fails, and its [`Violation`](crate::Violation) contains the text.
pub type NoStore = Box<dyn Error + Send + Sync>;

/// The connection between this suite and the store under test: it opens the store for each [`Check`](crate::Check). The author of a store
/// implements it, and passes it to [`main`](crate::main).
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

    /// Opens the store in the namespace with the name `namespace`, and returns the opened store. A namespace is a part of the store whose
    /// data no other namespace can read, such as a prefix of all keys, a table or a map. The suite passes names of at most 48 bytes, of
    /// letters, digits, `-` and `:`.
    ///
    /// The suite calls it several times with the same name, once for each app server that a check needs. All stores that are returned for
    /// the same name must share their data. If the store has connections, each returned store must have its own. Otherwise, checks with
    /// several app servers fail or test too little.
    ///
    /// # Errors
    /// The reason if the store cannot be opened. The check then fails, and is never skipped.
    async fn open(&self, namespace: &str) -> Result<Arc<dyn TokenStore>, NoStore>;

    /// Opens the store like [`open`](Self::open), together with a [`Switch`] that makes the returned store unreachable. The switch can be a
    /// proxy between the returned store and its database server. Checks of outages call this method.
    ///
    /// The switch must affect only the returned store: other checks run at the same time, and could fail.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    async fn open_breakable(&self, namespace: &str) -> Result<Breakable, NoStore>;

    /// Lets the duration `by` pass in the namespace with the name `namespace` without waiting, and returns `true`. Checks use it for
    /// lifetimes that are too long to wait for: a store keeps a not-before time, up to which it refuses sign-ins, for half an hour.
    ///
    /// There are two ways. The harness moves the store's clock forward by `by`. If that is impossible, the harness makes everything in the
    /// namespace expire earlier by `by`. Stores that were opened before must stay open.
    ///
    /// Returns `false` if the harness can do neither, which is the default. One check then waits for about a minute, with shorter
    /// lifetimes.
    ///
    /// # Errors
    /// The reason if the harness could not change the clock or the expiries. The check then fails.
    async fn let_time_pass(&self, namespace: &str, by: Duration) -> Result<bool, NoStore> {
        let _ = (namespace, by);
        Ok(false)
    }
}

/// An opened store under test, and a [`Switch`] that makes this opened store unreachable. [`Harness::open_breakable`] returns it.
///
/// Checks use it to test how the store and the cache report an outage (G4: no error is hidden).
#[derive(Clone)]
#[non_exhaustive]
pub struct Breakable {
    /// The opened store under test. Its requests reach the stored data until [`Switch::cut`] is called, and again after [`Switch::mend`].
    pub store: Arc<dyn TokenStore>,
    /// The switch that makes `store` unreachable, and reachable again.
    pub switch: Arc<dyn Switch>,
}

impl Breakable {
    /// Creates a breakable store from the opened `store` under test, and a `switch` that makes this opened store unreachable.
    /// Implementations of [`Harness::open_breakable`] call it.
    ///
    /// Use it for a store with a database server. The switch can be a proxy between `store` and that server. For a store that lives in this
    /// process, use [`in_process`](Self::in_process).
    pub fn new(store: Arc<dyn TokenStore>, switch: Arc<dyn Switch>) -> Self {
        Self { store, switch }
    }

    /// Creates a breakable store from `store`, which lives in this process. The field [`store`](Self::store) is a
    /// [`FailingStore`](token_cache_core::test_util::FailingStore) around `store`, and the field [`switch`](Self::switch) makes it fail.
    /// From [`Switch::cut`] to [`Switch::mend`], every call returns [`Unavailable`](ErrorKind::Unavailable) and does not reach `store`.
    ///
    /// The checks then show how the cache treats errors of the store, but not how the driver of a store reports an outage. For a store with
    /// a database server, use [`new`](Self::new).
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

/// A switch that makes one opened store unreachable, and reachable again. The author of a store implements it for [`Breakable::new`], and
/// the checks of outages call it.
#[async_trait]
pub trait Switch: Send + Sync {
    /// Makes [`Breakable::store`] unreachable. After the method returns, no request of that opened store reaches the stored data. Its calls
    /// must then fail with [`Unavailable`](ErrorKind::Unavailable) or [`TimedOut`](ErrorKind::TimedOut), or else a check fails.
    async fn cut(&self);

    /// Makes [`Breakable::store`] reachable again. After the method returns, requests of that opened store reach the stored data. The
    /// opened store may need a short time to connect again: the checks repeat a call that fails with a
    /// [retryable](token_cache_core::Error::is_retryable) error.
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
