use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use token_cache_conformance::{Breakable, Harness, NoStore, TestClock};
use token_cache_core::{
    Acknowledgement, BackplaneConnection, InvalidationListener, InvalidationMessage, MemoryStore,
    Result, Secret, ServerId, TokenStore,
    near_cache::BootTime,
    test_util::{LayeredStore, ManualBootTime},
};
use token_cache_near_cache::{NearCacheConfig, NearCacheLease};

type Inner = Arc<dyn TokenStore>;

/// A memory store for each namespace, and servers with near caches over it. Each server has its own near cache and publishes its changes.
///
/// The leases never expire, so that only an invalidation message ends a near-cache entry.
pub(crate) struct Fleet {
    secret: Secret,
    stores: Mutex<HashMap<String, (MemoryStore, TestClock)>>,
    connections: Mutex<Vec<Arc<dyn BackplaneConnection>>>,
}

impl Fleet {
    pub(crate) fn new(secret: Secret) -> Self {
        Self {
            secret,
            stores: Mutex::default(),
            connections: Mutex::default(),
        }
    }

    fn memory(&self, namespace: &str) -> (MemoryStore, TestClock) {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let made = stores.entry(namespace.to_owned()).or_insert_with(|| {
            let clock = TestClock::default();
            (MemoryStore::with_clock(clock.clone()), clock)
        });
        made.clone()
    }

    async fn server(&self, namespace: &str) -> Result<Inner> {
        let (memory, _) = self.memory(namespace);
        let (holder, clock) = (
            Arc::new(NearCacheLease::new()),
            Arc::new(ManualBootTime::new()),
        );
        let inner: Inner = Arc::new(memory);
        let member = LayeredStore::member(Arc::clone(&inner), Arc::clone(&clock) as _)?;
        let near_cache = NearCacheConfig::new().under_lease(member, Arc::clone(&holder))?;
        let server = LayeredStore::with_near_cache(Arc::clone(&inner), &self.secret, near_cache);
        if let Some(link) = inner.backplane() {
            let ears = Arc::new(ServerListener(server.clone()));
            let number = holder.connecting();
            let connection = link.connect(ServerId::mint()?, ears).await?;
            holder.connected(number);
            let registry = connection.renew().await?;
            let now = clock.now();
            holder.renewed(number, registry, Duration::from_secs(1), now, now);
            let mut connections = self
                .connections
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            connections.push(connection);
        }
        Ok(Arc::new(server.publishing()))
    }
}

/// Drops the entries that invalidation messages name.
#[derive(Debug)]
struct ServerListener(LayeredStore);

impl InvalidationListener for ServerListener {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        self.0.forget(&message.what);
        None
    }

    fn acknowledged(&self, _: &Acknowledgement) {}
}

#[async_trait]
impl Harness for Fleet {
    fn name(&self) -> &'static str {
        "layered(memory)"
    }

    async fn open(&self, namespace: &str) -> Result<Inner, NoStore> {
        Ok(self.server(namespace).await?)
    }

    /// Breaks the store in front of the near cache. Behind it, the near cache would continue to serve its entries under the lease.
    async fn open_breakable(&self, namespace: &str) -> Result<Breakable, NoStore> {
        Ok(Breakable::in_process(self.server(namespace).await?))
    }

    async fn let_time_pass(&self, namespace: &str, by: Duration) -> Result<bool, NoStore> {
        self.memory(namespace).1.advance(by);
        Ok(true)
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").finish_non_exhaustive()
    }
}
