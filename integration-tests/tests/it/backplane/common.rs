use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use token_cache_core::{
    AccountKey, Acknowledgement, Backplane, BackplaneConnection, Invalidation, InvalidationId,
    InvalidationListener, InvalidationMessage, IssuerKey, ServerId, TokenStore,
};
use token_cache_integration_tests::servers::{Proxy, RedisOptions, RedisServer};
use token_cache_redis::{RedisConfig, RedisStore};

/// An upper limit for any condition. It is never reached if everything works.
const GUARD: Duration = Duration::from_secs(40);

/// Long enough for a busy machine.
pub(crate) const PATIENT: &str = "operation_timeout=10s&connect_timeout=10s";

/// Short enough for a test to wait for it to pass, and long enough for a busy machine to open a store in.
pub(crate) const HASTY: &str = "operation_timeout=1s&connect_timeout=10s";

/// A server on the backplane that records the messages that it receives.
pub(crate) struct Connected {
    pub(crate) id: ServerId,
    pub(crate) store: RedisStore,
    pub(crate) connection: Arc<dyn BackplaneConnection>,
    told: Arc<Told>,
}

#[derive(Debug, Default)]
struct Told(Mutex<Vec<InvalidationMessage>>);

impl InvalidationListener for Told {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        self.0.lock().unwrap().push(message.clone());
        None
    }

    fn acknowledged(&self, _: &Acknowledgement) {}
}

impl Connected {
    pub(crate) async fn at(url: &str) -> Self {
        Self::over(connect(url).await).await
    }

    pub(crate) async fn over(store: RedisStore) -> Self {
        let id = ServerId::mint().unwrap();
        let told = Arc::new(Told::default());
        let listener: Arc<dyn InvalidationListener> = Arc::clone(&told) as _;
        let connection = backplane_of(&store).connect(id, listener).await.unwrap();
        Self {
            id,
            store,
            connection,
            told,
        }
    }

    pub(crate) fn heard(&self) -> Vec<InvalidationMessage> {
        self.told.0.lock().unwrap().clone()
    }

    pub(crate) fn has_heard(&self, id: InvalidationId) -> bool {
        self.heard().iter().any(|told| told.id == id)
    }

    pub(crate) async fn publishes(&self) -> token_cache_core::Published {
        let what = Invalidation::Accounts(vec![account()]);
        let published = backplane_of(&self.store).publish(Some(self.id), what).await;
        published.unwrap()
    }

    /// Waits until the connection reports that it is lost.
    pub(crate) async fn is_lost(&self) {
        let lost = tokio::time::timeout(GUARD, self.connection.lost()).await;
        assert!(
            lost.is_ok(),
            "the connection does not report that it is lost"
        );
    }
}

pub(crate) fn backplane_of(store: &RedisStore) -> &dyn Backplane {
    store.backplane().unwrap()
}

/// Opens a store. One that requires replicas is refused until they have caught up.
pub(crate) async fn connect(url: &str) -> RedisStore {
    let config = RedisConfig::from_url(url).unwrap();
    eventually("the store can be opened", async || {
        RedisStore::connect(config.clone()).await.ok()
    })
    .await
}

pub(crate) fn account() -> AccountKey {
    AccountKey::new(IssuerKey::from_bytes([1; 16]), [2; 16])
}

pub(crate) fn redis() -> RedisServer {
    RedisServer::start(RedisOptions::default()).unwrap()
}

pub(crate) fn proxied(redis: &RedisServer) -> Proxy {
    Proxy::start(redis.address()).unwrap()
}

pub(crate) fn with(url: &str, parameters: &str) -> String {
    format!("{url}/?{parameters}")
}

/// Polls a condition until it returns a value.
pub(crate) async fn eventually<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = condition().await {
            return answer;
        }
        assert!(start.elapsed() < GUARD, "not within {GUARD:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
