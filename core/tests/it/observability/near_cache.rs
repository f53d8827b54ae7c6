//! Runs every operation of a fleet with near caches once.

use std::time::Duration;

use token_cache::near_cache::{NearCacheConfig, NoNearCache};
use token_cache_core::{
    AccountId, EntryKey, MemoryStore, Secret, SignIn, SignOutScope, TokenCache, TokenCacheBuilder,
    Wait,
    test_util::{FailingStore, RuntimeBootTime},
};

use crate::observability::story::{ISSUER, ada};

/// The time until a new server serves near-cache entries and has known the registry for longer than a lease.
const SETTLED: Duration = Duration::from_secs(8);

fn key() -> EntryKey {
    EntryKey::new("canary-key").unwrap()
}

struct Server {
    cache: TokenCache,
    way: FailingStore,
    boot: RuntimeBootTime,
}

impl Server {
    async fn open(
        way: FailingStore,
        secret: &Secret,
        settings: impl FnOnce(TokenCacheBuilder) -> TokenCacheBuilder,
    ) -> Self {
        let boot = RuntimeBootTime::new();
        let builder = TokenCache::builder(way.clone())
            .secret(secret.clone())
            .boot_time(boot.clone());
        let cache = settings(builder).open().await.unwrap();
        Self { cache, way, boot }
    }
}

pub(crate) async fn tell() {
    let (store, secret) = (MemoryStore::new(), Secret::random().unwrap());
    let here = FailingStore::new(store.clone());
    let here = Server::open(here, &secret, |server| {
        server.near_cache(NearCacheConfig::new())
    })
    .await;
    let there = FailingStore::new(store);
    let there = Server::open(there, &secret, |server| server.near_cache(NoNearCache)).await;
    tokio::time::sleep(SETTLED).await;
    read(&here).await;
    wait(&here, &there).await;
    fail(&there).await;
    age(&secret).await;
}

async fn read(server: &Server) {
    let started = server.cache.start_sign_in().unwrap();
    let sign_in = SignIn::new(ada(), &started);
    let session = server.cache.sign_in(sign_in).await.unwrap();
    session.put(&key(), b"canary-token".to_vec()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    for _ in 0..2 {
        assert!(session.get(&key()).await.unwrap().is_some());
    }
    server.boot.sleep(Duration::from_secs(2));
    assert!(session.get(&key()).await.unwrap().is_some());
    tokio::time::sleep(SETTLED).await;
}

async fn wait(cache: &Server, origin: &Server) {
    let _ = origin.cache.sign_out_account(&ada()).await.unwrap();
    let scope = SignOutScope::Account(ada());
    let _ = origin.cache.sign_out_with(scope, Wait::None).await.unwrap();
    cache.way.freeze_backplane();
    let _ = origin.cache.sign_out_account(&ada()).await.unwrap();
    tokio::time::sleep(SETTLED).await;
}

/// Breaks the backplane connection of a server, so that publishing fails. The user is another one than before, because a sign-out in the
/// same millisecond would refuse the sign-in.
async fn fail(server: &Server) {
    let bob = AccountId::new(ISSUER, "canary-bob").unwrap();
    let started = server.cache.start_sign_in().unwrap();
    let sign_in = SignIn::new(bob.clone(), &started);
    let session = server.cache.sign_in(sign_in).await.unwrap();
    server.way.cut_backplane();
    session.put(&key(), b"canary-token".to_vec()).await.unwrap();
    let mut many = server.cache.sign_out_accounts(&[bob]).unwrap();
    many.step().await.unwrap_err();
    tokio::time::sleep(Duration::from_secs(61)).await;
}

async fn age(secret: &Secret) {
    let way = FailingStore::new(MemoryStore::new()).without_backplane();
    let age = NearCacheConfig::new().max_age(Duration::from_secs(1));
    let server = Server::open(way, secret, |server| server.near_cache(age)).await;
    let _ = server.cache.sign_out_account(&ada()).await.unwrap();
}
