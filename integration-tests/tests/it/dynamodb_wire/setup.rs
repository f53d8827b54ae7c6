use std::time::Duration;

use token_cache_core::{
    AccountId, AccountKey, BeginSession, CutoffTime, EntryAddress, EntryName, IssuerKey, Secret,
    Session, SessionId, SessionRecord, SessionTimes, SignIn, Timestamp, TokenCache, TokenStore,
};
use token_cache_dynamodb::{DynamoDbConfig, DynamoDbStore};
use token_cache_integration_tests::servers::{
    ApiCall, DynamoDbEngine, DynamoDbProxy, Kept, TABLE, dynamodb_client,
};

pub(crate) const ISSUER: &str = "https://issuer.example";
const PREFIX: &str = "wire";

/// A store on an engine of its own, and the proxy between them, which records all requests.
pub(crate) struct Wire {
    pub(crate) proxy: DynamoDbProxy,
    pub(crate) store: DynamoDbStore,
    pub(crate) cache: TokenCache,
    _engine: DynamoDbEngine,
}

impl Wire {
    /// Sets the time-out of an operation.
    pub(crate) async fn within(time: Duration) -> Self {
        let engine = DynamoDbEngine::start(Kept::InMemory).unwrap();
        let proxy = DynamoDbProxy::start(engine.address()).unwrap();
        proxy.observe();
        let mut config = DynamoDbConfig::new(TABLE);
        PREFIX.clone_into(&mut config.prefix);
        config.operation_timeout = time;
        let client = dynamodb_client(&proxy.endpoint());
        let store = DynamoDbStore::existing_client(&client, config)
            .await
            .unwrap();
        let secret = Secret::random().unwrap();
        let cache = TokenCache::open(store.clone(), secret).await.unwrap();
        Self {
            proxy,
            store,
            cache,
            _engine: engine,
        }
    }

    pub(crate) async fn patient() -> Self {
        Self::within(Duration::from_secs(10)).await
    }

    /// Returns the requests since the last call, except the reads of the namespace's record, by which the store and the cache check the
    /// clock from time to time.
    pub(crate) fn said(&self) -> Vec<ApiCall> {
        let mut calls = self.proxy.observed();
        let namespace = format!("{PREFIX}:N");
        calls.retain(|call| call.asked["Key"]["pk"]["S"] != namespace);
        calls
    }

    pub(crate) fn actions(&self) -> Vec<String> {
        self.said().into_iter().map(|call| call.action).collect()
    }

    pub(crate) async fn sign_in(&self, subject: &str, sid: Option<&str>) -> Session {
        let started = self.cache.start_sign_in().unwrap();
        let mut sign_in =
            SignIn::new(account(subject), &started).auth_time(Timestamp::from_secs(1_000_000_000));
        if let Some(sid) = sid {
            sign_in = sign_in.sid(sid).unwrap();
        }
        self.cache.sign_in(sign_in).await.unwrap()
    }

    pub(crate) async fn now(&self) -> Timestamp {
        self.store.namespace().await.unwrap().time
    }

    /// Begins a session at the store itself, and returns the address of an entry of it.
    pub(crate) async fn begin(&self, number: u8) -> EntryAddress {
        let now = self.now().await;
        let account = AccountKey::new(IssuerKey::from_bytes([number; 16]), [number; 16]);
        let session_id = SessionId::from_bytes([number; 16]);
        let times = SessionTimes {
            auth_time: Timestamp::from_secs(1),
            requested_at: now,
        };
        let ends_at = later(now, Duration::from_secs(3_600));
        let record = SessionRecord::new(session_id, None, times, ends_at);
        let session = BeginSession::new(record, later(now, Duration::from_secs(600)), now);
        self.store.begin(&account, session).await.unwrap();
        EntryAddress::new(account, session_id, EntryName::from_bytes([number; 16]))
    }
}

pub(crate) fn account(subject: &str) -> AccountId {
    AccountId::new(ISSUER, subject).unwrap()
}

pub(crate) fn later(than: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_millis(than.as_millis() + u64::try_from(by.as_millis()).unwrap())
}

/// Returns a time of the store's clock.
pub(crate) fn store_time(at: Timestamp) -> CutoffTime {
    CutoffTime::on_store_clock(at)
}
