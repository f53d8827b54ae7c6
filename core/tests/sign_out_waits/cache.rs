use std::time::Duration;

use token_cache_core::{
    Entry, EntryKey, Result, Secret, Session, SignIn, Ticket, TokenCache, TokenStore,
    near_cache::NearCacheConfig,
    test_util::{FailingStore, RuntimeBootTime},
};

use crate::fleet::{LEASE, ada};

/// A server that keeps copies.
pub(crate) struct LeasedCache {
    pub(crate) cache: TokenCache,
    pub(crate) way: FailingStore,
    pub(crate) boot: RuntimeBootTime,
}

/// When a server that keeps copies serves the first of them, at the latest.
pub(crate) const SERVES_AFTER: Duration = Duration::from_millis(3_100);

impl LeasedCache {
    /// One that has just started.
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

    /// What a read answers, and whether the store was asked.
    pub(crate) async fn read(&self, ticket: &Ticket) -> (Result<Option<Entry>>, bool) {
        let before = self.way.requests();
        let read = self.session(ticket).get(&api()).await;
        (read, self.way.requests() > before)
    }

    /// The tokens come from a copy.
    pub(crate) async fn hits(&self, ticket: &Ticket) -> bool {
        let (read, asked) = self.read(ticket).await;
        matches!(read, Ok(Some(_))) && !asked
    }

    /// Reads once, so that there is a copy.
    pub(crate) async fn populate(&self, ticket: &Ticket) {
        assert!(self.read(ticket).await.0.unwrap().is_some());
        assert!(self.hits(ticket).await);
    }

    /// Reads, and the session has ended.
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

/// A session with tokens in it.
pub(crate) async fn signed_in(cache: &TokenCache) -> Ticket {
    let started = cache.start_sign_in().unwrap();
    let session = cache.sign_in(SignIn::new(ada(), &started)).await.unwrap();
    session.put(&api(), b"a token".to_vec()).await.unwrap();
    session.ticket().unwrap()
}
