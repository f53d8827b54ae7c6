use std::time::Duration;

use token_cache_core::{
    AccountId, MemoryStore, NearCacheOutcome, Secret, SignIn, SignOut, TokenCache, TokenStore,
    test_util::{FailingStore, RuntimeBootTime},
};
use token_cache_near_cache::NoNearCache;
use tokio::time::Instant;

pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// An origin without a near cache, and the store that it shares with other servers.
pub(crate) struct Fleet {
    pub(crate) store: MemoryStore,
    pub(crate) origin: TokenCache,
    /// The store as the origin uses it.
    pub(crate) way: FailingStore,
    pub(crate) boot: RuntimeBootTime,
    pub(crate) secret: Secret,
}

impl Fleet {
    pub(crate) async fn new() -> Self {
        Self::over(MemoryStore::new(), FailingStore::new).await
    }

    pub(crate) async fn over(
        store: MemoryStore,
        way: impl FnOnce(MemoryStore) -> FailingStore,
    ) -> Self {
        let secret = Secret::random().unwrap();
        let way = way(store.clone());
        let boot = RuntimeBootTime::new();
        let origin = server(way.clone(), &secret, &boot).await;
        Self {
            store,
            origin,
            way,
            boot,
            secret,
        }
    }

    pub(crate) async fn sign_in(&self) {
        // As in `signed_in`, the store's clock is the machine's.
        std::thread::sleep(Duration::from_millis(2));
        let started = self.origin.start_sign_in().unwrap();
        let sign_in = SignIn::new(ada(), &started).sid("s1").unwrap();
        self.origin.sign_in(sign_in).await.unwrap();
    }
}

pub(crate) async fn server(
    store: impl TokenStore,
    secret: &Secret,
    boot: &RuntimeBootTime,
) -> TokenCache {
    TokenCache::builder(store)
        .secret(secret.clone())
        .boot_time(boot.clone())
        .near_cache(NoNearCache)
        .open()
        .await
        .unwrap()
}

pub(crate) fn ada() -> AccountId {
    AccountId::new("https://id.example", "ada").unwrap()
}

/// Waits until the origin has read the record, opened its backplane connection and known the registry for longer than a lease.
pub(crate) async fn settle() {
    tokio::time::sleep(4 * LEASE).await;
}

/// Returns the near-cache outcome of a sign-out, and how long the sign-out took.
pub(crate) async fn timed(
    sign_out: impl Future<Output = token_cache_core::Result<SignOut>>,
) -> (NearCacheOutcome, Duration) {
    let begun = Instant::now();
    let done = sign_out.await.unwrap();
    (done.near_caches, begun.elapsed())
}

/// Returns whether `took` is about one longest lease, and not two.
pub(crate) fn is_a_lease(took: Duration) -> bool {
    took > LEASE && took < LEASE + LEASE / 10
}
