use token_cache::{
    AccountId, EntryKey, Secret, Session, SignIn, Timestamp, TokenCache, TokenSet,
    dynamodb::{DynamoDbConfig, DynamoDbStore},
    refresh::{RefreshError, RefreshRequest},
};
use token_cache_integration_tests::servers::{
    DynamoDbEngine, DynamoDbProxy, Kept, Proxy, RedisOptions, RedisServer, TABLE, dynamodb_client,
};

use crate::{
    Result,
    args::Args,
    figure::{Better, Figure},
    report,
};

/// How many refreshes are counted a round.
const REFRESHES: usize = 20;

/// Counts the requests of a refresh without a concurrent one, by a proxy between cache and store. Some refreshes include the read of the
/// namespace's record, which happens once a second.
pub(super) async fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    let redis = "refresh/requests/redis";
    if args.wants(redis) {
        report::progress(redis);
        figures.push(figure(redis, &on_redis(args).await?, 3.0));
    }
    let dynamodb = "refresh/requests/dynamodb";
    if args.wants(dynamodb) {
        report::progress(dynamodb);
        figures.push(figure(dynamodb, &on_dynamodb(args).await?, 5.0));
    }
    Ok(())
}

fn figure(name: &str, counts: &[f64], goal: f64) -> Figure {
    Figure::new(name.to_owned(), counts, Better::Lower, goal)
}

async fn on_redis(args: &Args) -> Result<Vec<f64>> {
    let server = RedisServer::start(RedisOptions::default())?;
    let proxy = Proxy::start(server.address())?;
    let builder = token_cache::builder(&proxy.url())?.secret(Secret::random()?);
    let cache = builder.open().await?;
    count(args, &cache, || proxy.requests()).await
}

async fn on_dynamodb(args: &Args) -> Result<Vec<f64>> {
    let engine = DynamoDbEngine::start(Kept::InMemory)?;
    let proxy = DynamoDbProxy::start(engine.address())?;
    let client = dynamodb_client(&proxy.endpoint());
    let store = DynamoDbStore::existing_client(&client, DynamoDbConfig::new(TABLE)).await?;
    let cache = TokenCache::open(store, Secret::random()?).await?;
    count(args, &cache, || proxy.requests()).await
}

/// The requests of each refresh, of a session of its own: on DynamoDB, one that follows another within a lease first clears its
/// lock away. The first is not counted: the server may not know its scripts yet.
async fn count(args: &Args, cache: &TokenCache, requests: impl Fn() -> u64) -> Result<Vec<f64>> {
    let key = EntryKey::resource("https://api.example")?;
    let mut counts = Vec::new();
    for number in 0..=args.rounds() * REFRESHES {
        let account = AccountId::new("https://id.example", format!("user-{number}"))?;
        let started = cache.start_sign_in()?;
        let session = cache.sign_in(SignIn::new(account, &started)).await?;
        expire(&session, &key).await?;
        let before = requests();
        session.get_or_refresh(&key, provider).await?;
        if number > 0 {
            counts.push(f64::from(u32::try_from(requests() - before)?));
        }
    }
    Ok(counts)
}

async fn expire(session: &Session, key: &EntryKey) -> Result<()> {
    let tokens = TokenSet::new("at")?
        .with_refresh_token("rt")
        .with_expires_at(Timestamp::from_secs(1));
    Ok(session.put(key, tokens).await?)
}

/// One that answers at once.
async fn provider(request: RefreshRequest) -> std::result::Result<TokenSet, RefreshError> {
    let response = serde_json::json!({
        "access_token": "at", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "rt",
    });
    Ok(TokenSet::from_response(&response, request.sent_at)?)
}
