//! A web API's sessions on behalf of its callers, on real stores with their own clocks.

use std::time::{Duration, Instant};

use serde_json::json;
use token_cache::{
    AccountId, EntryKey, Secret, Session, Timestamp, TokenCache, on_behalf_of::OnBehalfOf,
};
use token_cache_dynamodb::{DynamoDbConfig, DynamoDbStore};
use token_cache_integration_tests::servers::{OwnStore, StoreKind, TABLE};

const ISSUER: &str = "https://id.example";

/// Maximum time of a condition. It takes seconds: the margin between the clocks.
const LIMIT: Duration = Duration::from_secs(30);

async fn server(store: &OwnStore, secret: &Secret) -> TokenCache {
    let builder = match store {
        OwnStore::Redis(redis) => token_cache::builder(&redis.url()).unwrap(),
        OwnStore::DynamoDb(engine) => {
            let config = DynamoDbConfig::new(TABLE);
            let store = DynamoDbStore::existing_client(&engine.client(), config).await;
            TokenCache::builder(store.unwrap())
        }
    };
    let builder = builder.secret(secret.clone());
    let builder = builder.longest_assertion(Duration::from_secs(3 * 3600));
    builder.open().await.unwrap()
}

fn seconds_now() -> u64 {
    Timestamp::from_system_time(std::time::SystemTime::now()).as_millis() / 1_000
}

fn token(issued_at: u64, assertion: &str) -> OnBehalfOf {
    let claims = json!({"iss": ISSUER, "sub": "ada", "iat": issued_at, "exp": issued_at + 3_600});
    OnBehalfOf::from_claims(&claims, assertion).unwrap()
}

/// Returns a session for an assertion that was issued long enough after the sign-out to be accepted, as soon as the store's clock has
/// reached that time.
async fn welcome(server: &TokenCache, issued_at: u64) -> Session {
    let started = Instant::now();
    loop {
        match server.on_behalf_of(token(issued_at, "after")).await {
            Ok(session) => return session,
            Err(error) if error.is_signed_out() && started.elapsed() < LIMIT => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

async fn a_sign_out_ends_it_and_only_a_newer_token_begins_it_again(kind: StoreKind) {
    let store = OwnStore::start(kind).unwrap();
    let secret = Secret::random().unwrap();
    let (here, there) = (server(&store, &secret).await, server(&store, &secret).await);
    let api = EntryKey::resource("https://downstream.example").unwrap();
    let issued_at = seconds_now();
    let session = here.on_behalf_of(token(issued_at, "before")).await.unwrap();
    session.put(&api, b"for ada".as_slice()).await.unwrap();
    let found = there
        .on_behalf_of(token(issued_at, "before"))
        .await
        .unwrap();
    let read = found.get(&api).await.unwrap().unwrap();
    assert_eq!(read.bytes().unwrap(), b"for ada");
    let other = there.on_behalf_of(token(issued_at, "other")).await.unwrap();
    assert!(other.get(&api).await.unwrap().is_none());

    let ada = AccountId::new(ISSUER, "ada").unwrap();
    assert!(here.sign_out_account(&ada).await.unwrap().ended);
    let signed_out_at = seconds_now();
    for session in [&session, &found, &other] {
        assert!(session.get(&api).await.unwrap_err().is_signed_out());
    }
    for (server, which) in [(&here, "before"), (&there, "before"), (&there, "unseen")] {
        let begun = server.on_behalf_of(token(issued_at, which)).await;
        assert!(begun.unwrap_err().is_signed_out(), "{which}");
    }
    let after = welcome(&there, signed_out_at + 8).await;
    assert!(after.get(&api).await.unwrap().is_none());
    let begun = here.on_behalf_of(token(issued_at, "before")).await;
    assert!(begun.unwrap_err().is_signed_out());

    let application = here.application("client-1").await.unwrap();
    application.put(&api, b"own".as_slice()).await.unwrap();
    let found = there.application("client-1").await.unwrap();
    assert!(found.get(&api).await.unwrap().is_some());
}

#[tokio::test]
async fn on_redis() {
    a_sign_out_ends_it_and_only_a_newer_token_begins_it_again(StoreKind::Redis).await;
}

#[tokio::test]
async fn on_dynamodb() {
    a_sign_out_ends_it_and_only_a_newer_token_begins_it_again(StoreKind::DynamoDb).await;
}
