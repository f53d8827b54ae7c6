use std::time::Duration;

use token_cache_core::{
    Entry, EntryKey, Result, Secret, Session, SignIn, Ticket, TokenCache, TokenStore,
    test_util::{FailingStore, RuntimeBootTime},
};
use token_cache_near_cache::NearCacheConfig;

use super::fleet::{LEASE, ada};

/// A server with a near cache.
pub(crate) struct LeasedCache {
    pub(crate) cache: TokenCache,
    pub(crate) way: FailingStore,
    pub(crate) boot: RuntimeBootTime,
}

/// The longest time until a new server with a near cache serves its first entry.
pub(crate) const SERVES_AFTER: Duration = Duration::from_millis(3_100);

impl LeasedCache {
    /// Starts a server.
    pub(crate) async fn start(store: impl TokenStore, secret: &Secret) -> Self {
        Self::with(store, secret, NearCacheConfig::new().lease(LEASE)).await
    }

    pub(crate) async fn with(
        store: impl TokenStore,
        secret: &Secret,
        policy: NearCacheConfig,
    ) -> Self {
        let way = FailingStore::new(store);
        let boot = RuntimeBootTime::new();
        let cache = TokenCache::builder(way.clone())
            .secret(secret.clone())
            .boot_time(boot.clone())
            .near_cache(policy)
            .open()
            .await
            .unwrap();
        Self { cache, way, boot }
    }

    pub(crate) fn session(&self, ticket: &Ticket) -> Session {
        self.cache.resume_unverified(ticket).unwrap()
    }

    /// Returns the result of a read, and whether it sent a request to the store.
    pub(crate) async fn read(&self, ticket: &Ticket) -> (Result<Option<Entry>>, bool) {
        let before = self.way.requests();
        let read = self.session(ticket).get(&api()).await;
        (read, self.way.requests() > before)
    }

    /// Returns whether a read is a hit.
    pub(crate) async fn hits(&self, ticket: &Ticket) -> bool {
        let (read, asked) = self.read(ticket).await;
        matches!(read, Ok(Some(_))) && !asked
    }

    /// Reads once, so that the near cache has the entry.
    pub(crate) async fn populate(&self, ticket: &Ticket) {
        assert!(self.read(ticket).await.0.unwrap().is_some());
        assert!(self.hits(ticket).await);
    }

    /// Returns whether a read finds the session ended.
    pub(crate) async fn is_signed_out(&self, ticket: &Ticket) -> bool {
        match self.read(ticket).await.0 {
            Ok(_) => false,
            Err(error) => error.is_signed_out(),
        }
    }
}

pub(crate) fn api() -> EntryKey {
    EntryKey::resource("https://api.example").unwrap()
}

/// Signs in and puts tokens. Returns the session's ticket.
pub(crate) async fn signed_in(cache: &TokenCache) -> Ticket {
    // The store's clock is the machine's, also in a test with paused time. A sign-out in the same millisecond would refuse the sign-in.
    std::thread::sleep(Duration::from_millis(2));
    let started = cache.start_sign_in().unwrap();
    let session = cache.sign_in(SignIn::new(ada(), &started)).await.unwrap();
    session.put(&api(), b"a token".to_vec()).await.unwrap();
    session.ticket().unwrap()
}
