use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use token_cache_core::TokenStore;

use crate::{Breakable, Harness, NoStore};

/// The harness of a store that lives in this process: one store a namespace, and all its servers share it.
///
/// ```no_run
/// use std::{process::ExitCode, sync::Arc};
/// use token_cache_conformance::InProcess;
/// use token_cache_core::MemoryStore;
///
/// fn main() -> ExitCode {
///     token_cache_conformance::main(InProcess::new("memory", || Arc::new(MemoryStore::new())))
/// }
/// ```
pub struct InProcess {
    name: &'static str,
    make: Box<dyn Fn() -> Arc<dyn TokenStore> + Send + Sync>,
    stores: Mutex<HashMap<String, Arc<dyn TokenStore>>>,
}

impl InProcess {
    /// A harness whose namespaces are stores that `make` makes.
    pub fn new(
        name: &'static str,
        make: impl Fn() -> Arc<dyn TokenStore> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            make: Box::new(make),
            stores: Mutex::default(),
        }
    }

    fn store(&self, namespace: &str) -> Arc<dyn TokenStore> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            stores
                .entry(namespace.to_owned())
                .or_insert_with(|| (self.make)()),
        )
    }
}

#[async_trait]
impl Harness for InProcess {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn open(&self, namespace: &str) -> Result<Arc<dyn TokenStore>, NoStore> {
        Ok(self.store(namespace))
    }

    async fn open_breakable(&self, namespace: &str) -> Result<Breakable, NoStore> {
        Ok(Breakable::at_the_front_door(self.store(namespace)))
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
