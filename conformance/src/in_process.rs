use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use token_cache_core::TokenStore;

use crate::{Breakable, Harness, NoStore, TestClock};

type Made = (Arc<dyn TokenStore>, TestClock);

/// A [`Harness`] for a store that lives in this process and needs no server. Pass it to [`main`](crate::main).
///
/// Each check has a namespace of its own, and each namespace has one store. All app servers of a check share that store.
///
/// ```no_run
/// use std::{process::ExitCode, sync::Arc};
/// use token_cache_conformance::InProcess;
/// use token_cache_core::MemoryStore;
///
/// fn main() -> ExitCode {
///     let memory = |clock| Arc::new(MemoryStore::with_clock(clock)) as _;
///     token_cache_conformance::main(vec![Arc::new(InProcess::with_clock("memory", memory))])
/// }
/// ```
pub struct InProcess {
    name: &'static str,
    make: Box<dyn Fn(TestClock) -> Arc<dyn TokenStore> + Send + Sync>,
    uses_the_clock: bool,
    stores: Mutex<HashMap<String, Made>>,
}

impl InProcess {
    /// Creates a harness for a store with a clock of its own. `make` creates an empty store, and is called once for each namespace. The
    /// name of each test begins with `name`.
    ///
    /// The harness cannot move the clock of these stores, so one check waits for about a minute. Prefer [`with_clock`](Self::with_clock).
    pub fn new(
        name: &'static str,
        make: impl Fn() -> Arc<dyn TokenStore> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            make: Box::new(move |_| make()),
            uses_the_clock: false,
            stores: Mutex::default(),
        }
    }

    /// Creates a harness for a store whose clock the harness can move forward, so that no check waits for an expiry of half an hour. The
    /// name of each test begins with `name`.
    ///
    /// `make` creates an empty store, and is called once for each namespace. The store must use the [`TestClock`] that `make` receives as
    /// its own clock. Otherwise, a check that moves the clock fails.
    pub fn with_clock(
        name: &'static str,
        make: impl Fn(TestClock) -> Arc<dyn TokenStore> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            make: Box::new(make),
            uses_the_clock: true,
            stores: Mutex::default(),
        }
    }

    fn of(&self, namespace: &str) -> Made {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let made = stores.entry(namespace.to_owned()).or_insert_with(|| {
            let clock = TestClock::default();
            ((self.make)(clock.clone()), clock)
        });
        made.clone()
    }
}

#[async_trait]
impl Harness for InProcess {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn open(&self, namespace: &str) -> Result<Arc<dyn TokenStore>, NoStore> {
        Ok(self.of(namespace).0)
    }

    async fn open_breakable(&self, namespace: &str) -> Result<Breakable, NoStore> {
        Ok(Breakable::in_process(self.of(namespace).0))
    }

    async fn let_time_pass(&self, namespace: &str, by: Duration) -> Result<bool, NoStore> {
        if self.uses_the_clock {
            self.of(namespace).1.advance(by);
        }
        Ok(self.uses_the_clock)
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
