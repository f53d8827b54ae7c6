//! The required behaviour of a refresh at any provider, on servers that share a Redis.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use token_cache::providers::Provider;
use token_cache::{
    EntryKey, ExposeSecret, Secret, Session, Timestamp, TokenCache, TokenSet,
    keys::SecretString,
    refresh::{RefreshError, RefreshErrorKind, RefreshRequest, Revocation, TokenSource},
};
use token_cache_integration_tests::servers::{ProviderCounts, RedisOptions, RedisServer};
use tokio::sync::Notify;

/// A time long ago. Tokens that were received then are due.
const LONG_AGO: Timestamp = Timestamp::from_secs(1_700_000_000);

/// A provider that reports what it has done.
pub(crate) trait ReportsCounts {
    async fn counts(&self) -> ProviderCounts;
    async fn is_live(&self, access_token: &SecretString) -> bool;
}

/// Two app servers on one Redis.
pub(crate) struct Servers {
    pub(crate) here: TokenCache,
    there: TokenCache,
    _redis: RedisServer,
}

impl Servers {
    pub(crate) async fn start() -> Self {
        let redis = RedisServer::start(RedisOptions::default()).unwrap();
        let open = || {
            let secret = Secret::new("a secret of these tests alone, of 32 bytes").unwrap();
            let url = format!("{}/?operation_timeout=10s", redis.url());
            token_cache::builder(&url).unwrap().secret(secret).open()
        };
        Self {
            here: open().await.unwrap(),
            there: open().await.unwrap(),
            _redis: redis,
        }
    }
}

fn key() -> EntryKey {
    EntryKey::new("sign-in").unwrap()
}

fn due(response: &Value) -> TokenSet {
    TokenSet::from_response(response, LONG_AGO).unwrap()
}

fn refresh_token(tokens: &TokenSet) -> String {
    tokens.refresh_token().unwrap().expose_secret().to_owned()
}

/// The rotated token is stored for all servers. The old one is refused as reused, and with it the session ends.
pub(crate) async fn rotates(
    servers: &Servers,
    session: &Session,
    provider: &Provider,
    signed_in: &Value,
    provider_counts: &impl ReportsCounts,
) {
    let first = due(signed_in);
    session.put(&key(), first.clone()).await.unwrap();
    let second = session
        .get_or_refresh(&key(), provider.clone())
        .await
        .unwrap();
    assert_ne!(refresh_token(&second), refresh_token(&first));
    assert!(provider_counts.is_live(second.access_token()).await);

    let elsewhere = servers
        .there
        .resume(&session.ticket().unwrap())
        .await
        .unwrap();
    let read = elsewhere
        .get_or_refresh(&key(), provider.clone())
        .await
        .unwrap();
    assert_eq!(refresh_token(&read), refresh_token(&second));
    let counts = provider_counts.counts().await;
    assert_eq!(
        (counts.refreshes, counts.rotations, counts.reuses),
        (1, 1, 0)
    );

    let again = RefreshRequest::new(Some(first), LONG_AGO);
    let error = provider.refresh(again).await.unwrap_err();
    assert_eq!(error.kind(), RefreshErrorKind::InvalidGrant);
    assert_eq!(provider_counts.counts().await.reuses, 1);
    assert!(!provider_counts.is_live(second.access_token()).await);

    let expired = second.with_expires_at(LONG_AGO);
    session.put(&key(), expired).await.unwrap();
    let error = elsewhere
        .get_or_refresh(&key(), provider.clone())
        .await
        .unwrap_err();
    assert!(error.is_signed_out(), "{error}");
    let ended = servers
        .here
        .resume(&session.ticket().unwrap())
        .await
        .unwrap_err();
    assert!(ended.is_signed_out(), "{ended}");
}

/// The result of a refresh for a session that was signed out meanwhile is not stored, and is revoked.
pub(crate) async fn loses_to_a_sign_out(
    servers: &Servers,
    session: Session,
    provider: &Provider,
    signed_in: &Value,
    provider_counts: &impl ReportsCounts,
) {
    session.put(&key(), due(signed_in)).await.unwrap();
    let held = Arc::new(Held::of(provider.clone()));
    let refreshing = tokio::spawn({
        let (session, held) = (session.clone(), Arc::clone(&held));
        async move { session.get_or_refresh(&key(), held).await }
    });
    held.answered.notified().await;
    let elsewhere = servers
        .there
        .resume(&session.ticket().unwrap())
        .await
        .unwrap();
    assert!(elsewhere.sign_out().await.unwrap().ended);
    held.may_go_on.notify_one();

    let error = refreshing.await.unwrap().unwrap_err();
    assert!(error.is_signed_out(), "{error}");
    let counts = provider_counts.counts().await;
    assert_eq!(
        (counts.rotations, counts.revocations, counts.reuses),
        (1, 1, 0)
    );
    assert_eq!(counts.revoked_families, 1);
    let brought = held.brought.lock().await.take().unwrap();
    assert!(!provider_counts.is_live(brought.access_token()).await);
}

/// A provider whose answer is in flight until the test lets it arrive.
struct Held {
    provider: Provider,
    answered: Notify,
    may_go_on: Notify,
    brought: tokio::sync::Mutex<Option<TokenSet>>,
}

impl Held {
    fn of(provider: Provider) -> Self {
        Self {
            provider,
            answered: Notify::new(),
            may_go_on: Notify::new(),
            brought: tokio::sync::Mutex::default(),
        }
    }
}

#[async_trait]
impl TokenSource for Held {
    async fn refresh(&self, request: RefreshRequest) -> Result<TokenSet, RefreshError> {
        let tokens = self.provider.refresh(request).await?;
        *self.brought.lock().await = Some(tokens.clone());
        self.answered.notify_one();
        self.may_go_on.notified().await;
        Ok(tokens)
    }

    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError> {
        self.provider.revoke(refresh_token).await
    }

    fn revocation(&self) -> Revocation {
        self.provider.revocation()
    }
}
