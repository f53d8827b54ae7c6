use std::time::{Duration, Instant};

use token_cache::{
    AccountId, CopiesGone, EntryKey, ErrorKind, Secret, SignIn, TokenCache,
    local::CopyPolicy,
    redis::{RedisConfig, RedisStore},
};
use token_cache_integration_tests::servers::{RedisOptions, RedisServer};

const LEASE: Duration = Duration::from_secs(1);
const GUARD: Duration = Duration::from_secs(40);

/// A store on a connection that the application had open: it can open no other.
async fn given(redis: &RedisServer) -> RedisStore {
    let client = redis::Client::open(redis.url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let config = RedisConfig::from_url(&redis.url()).unwrap();
    RedisStore::from_connection(connection, &config)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_server_on_a_given_connection_keeps_no_copies_and_its_sign_outs_reach_those_of_others() {
    let redis = RedisServer::start(RedisOptions::default()).unwrap();
    let secret = Secret::random().unwrap();
    let refused = TokenCache::builder(given(&redis).await)
        .secret(secret.clone())
        .local_copies(CopyPolicy::new())
        .open()
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported, "{refused}");

    let signer = TokenCache::open(given(&redis).await, secret.clone());
    let signer = signer.await.unwrap();
    let keeper = token_cache::builder(&format!("{}/?local_copies=60s&lease=1s", redis.url()));
    let keeper = keeper.unwrap().secret(secret).open().await.unwrap();
    let ada = AccountId::new("https://id.example", "ada").unwrap();
    let api = EntryKey::new("api").unwrap();
    let begun = Instant::now();
    loop {
        let started = signer.start_sign_in().unwrap();
        let session = signer.sign_in(SignIn::new(ada.clone(), &started));
        let session = session.await.unwrap();
        session.put(&api, b"token".to_vec()).await.unwrap();
        let there = keeper.resume(&session.ticket().unwrap()).await.unwrap();
        assert!(there.get(&api).await.unwrap().is_some());
        let done = signer.sign_out_account(&ada).await.unwrap();
        let after = there.get(&api).await;
        assert!(after.is_err_and(|error| error.is_signed_out()));
        // Until it has heard of the other, there is nobody to wait for; and until then that one serves no copies.
        if let CopiesGone::Gone {
            servers, waited, ..
        } = done.copies
            && servers == [keeper.server_id()]
        {
            assert!(waited > LEASE, "it hears no answers: {waited:?}");
            break;
        }
        assert!(begun.elapsed() < GUARD);
    }
}
