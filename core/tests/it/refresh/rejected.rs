use std::time::Duration;

use token_cache_core::{
    EntryKey, ErrorKind, ExposeSecret as _, MemoryStore, RefreshError, RefreshOptions,
    RefreshPolicy, RefreshRequest, Session, Timestamp, TokenSet, test_util::ManualClock,
};
use tokio::time::advance;

use super::{
    access_token, api,
    provider::{Behaviour, Provider},
    server, server_with, signed_in, stored,
};

fn rejecting(tokens: &TokenSet) -> RefreshOptions {
    RefreshOptions::new().rejected(tokens.access_token().clone())
}

/// Requests other tokens than these.
async fn reject(
    session: &Session,
    provider: &Provider,
    tokens: &TokenSet,
) -> token_cache_core::Result<TokenSet> {
    let options = rejecting(tokens);
    session
        .get_or_refresh_with(&api(), provider.clone(), options)
        .await
}

/// Stores and returns tokens without an expiry.
async fn unlimited(session: &Session) -> TokenSet {
    let tokens = TokenSet::new("at").unwrap();
    session.put(&api(), &tokens).await.unwrap();
    tokens
}

async fn with_refresh_token(session: &Session, provider: &Provider) -> TokenSet {
    let refresh_token = provider.expired().refresh_token().unwrap().clone();
    let tokens = TokenSet::new("at-old").unwrap();
    let tokens = tokens.with_refresh_token(refresh_token.expose_secret());
    session.put(&api(), &tokens).await.unwrap();
    tokens
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_name_the_same_rejected_token_share_one_refresh() {
    let store = MemoryStore::new();
    let provider = Provider::new();
    let first = server(store.clone()).await;
    let session = signed_in(&first).await;
    let ticket = session.ticket().unwrap();
    let old = with_refresh_token(&session, &provider).await;
    let mut callers = tokio::task::JoinSet::new();
    for server in [first, server(store.clone()).await, server(store).await] {
        let session = server.resume(&ticket).await.unwrap();
        for _ in 0..20 {
            let (session, provider, options) = (session.clone(), provider.clone(), rejecting(&old));
            callers
                .spawn(async move { session.get_or_refresh_with(&api(), provider, options).await });
        }
    }
    while let Some(answered) = callers.join_next().await {
        assert_eq!(access_token(&answered.unwrap().unwrap()), "at-1");
    }
    assert_eq!((provider.calls(), provider.reused()), (1, 0));
    // A late caller gets the new token.
    let late = reject(&session, &provider, &old);
    assert_eq!(access_token(&late.await.unwrap()), "at-1");
    // Without a rejection nothing is refreshed.
    let usual = session.get_or_refresh(&api(), provider.clone()).await;
    assert_eq!(access_token(&usual.unwrap()), "at-1");
    assert_eq!(provider.calls(), 1);
}

#[tokio::test]
async fn a_rejected_token_is_not_served_while_the_provider_is_away() {
    let session = signed_in(&server(MemoryStore::new()).await).await;
    let provider = Provider::new();
    let old = with_refresh_token(&session, &provider).await;
    provider.next(Behaviour::Fail(RefreshError::transient("503")));
    for _ in 0..2 {
        let down = reject(&session, &provider, &old);
        assert_eq!(
            down.await.unwrap_err().kind(),
            ErrorKind::ProviderUnavailable
        );
    }
    assert_eq!(provider.calls(), 1);
    let usual = session.get_or_refresh(&api(), provider.clone()).await;
    assert_eq!(access_token(&usual.unwrap()), "at-old");
}

#[tokio::test]
async fn a_rejected_token_without_a_refresh_token_says_so() {
    let session = signed_in(&server(MemoryStore::new()).await).await;
    let provider = Provider::new();
    let old = unlimited(&session).await;
    let error = reject(&session, &provider, &old);
    assert_eq!(error.await.unwrap_err().kind(), ErrorKind::NotRefreshable);
    assert_eq!(provider.calls(), 0);
}

/// A resource that rejects every token, for example because of its audience.
#[tokio::test(start_paused = true)]
async fn a_resource_that_rejects_every_token_does_not_make_a_refresh_of_each_request() {
    let session = signed_in(&server(MemoryStore::new()).await).await;
    let provider = Provider::new();
    let mut tokens = with_refresh_token(&session, &provider).await;
    for _ in 0..1_000 {
        match reject(&session, &provider, &tokens).await {
            Ok(new) => tokens = new,
            Err(error) => assert_eq!(error.kind(), ErrorKind::ProviderRefused),
        }
    }
    assert_eq!(provider.calls(), 1);
    advance(Duration::from_secs(2)).await;
    let new = reject(&session, &provider, &tokens);
    assert_ne!(access_token(&new.await.unwrap()), access_token(&tokens));
    assert_eq!(provider.calls(), 2);
}

/// The entry whose refresh token another resource's refresh spent still has the rejected access token.
#[tokio::test]
async fn a_rejected_token_is_not_taken_for_what_another_refresh_left() {
    let session = signed_in(&server(MemoryStore::new()).await).await;
    let provider = Provider::new();
    let old = with_refresh_token(&session, &provider).await;
    let mail = EntryKey::new("mail").unwrap();
    let options = RefreshOptions::new().spending(api());
    provider.hold();
    let other = tokio::spawn({
        let (session, provider) = (session.clone(), provider.clone());
        async move { session.get_or_refresh_with(&mail, provider, options).await }
    });
    provider.called(1).await;
    let rejected = tokio::spawn({
        let (session, provider, options) = (session.clone(), provider.clone(), rejecting(&old));
        async move { session.get_or_refresh_with(&api(), provider, options).await }
    });
    tokio::task::yield_now().await;
    provider.go_on();
    other.await.unwrap().unwrap();
    let tokens = rejected.await.unwrap().unwrap();
    assert_ne!(access_token(&tokens), "at-old");
    assert_eq!((provider.calls(), provider.reused()), (2, 0));
}

#[tokio::test]
async fn tokens_of_unknown_lifetime_are_refreshed_after_the_default_one() {
    let clock = ManualClock::new();
    clock.set(Timestamp::from_secs(1_000_000));
    let mut policy = RefreshPolicy::default();
    policy.default_lifetime = Some(Duration::from_secs(600));
    let cache = server_with(MemoryStore::with_clock(clock.clone()), policy).await;
    let session = signed_in(&cache).await;
    let provider = Provider::new();
    let response = serde_json::json!({
        "access_token": "at-old", "expires_in": 0,
        "refresh_token": provider.expired().refresh_token().unwrap().expose_secret(),
    });
    let now = Timestamp::from_secs(1_000_000);
    let tokens = TokenSet::from_response(&response, now).unwrap();
    session.put(&api(), tokens).await.unwrap();
    clock.advance(Duration::from_secs(500));
    let fresh = session.get_or_refresh(&api(), provider.clone()).await;
    assert_eq!(
        (access_token(&fresh.unwrap()), provider.calls()),
        ("at-old", 0)
    );
    clock.advance(Duration::from_secs(100));
    // While the provider is unavailable, the tokens are served, because they have no known expiry.
    provider.next(Behaviour::Fail(RefreshError::transient("503")));
    let away = session.get_or_refresh(&api(), provider.clone()).await;
    assert_eq!(
        (access_token(&away.unwrap()), provider.calls()),
        ("at-old", 1)
    );
    // The default lifetime also applies to tokens of a refresh.
    session.put(&api(), stored(&session).await).await.unwrap();
    let source = |request: RefreshRequest| async move {
        let response = serde_json::json!({"access_token": "at-new", "refresh_token": "rt-new"});
        Ok(TokenSet::from_response(&response, request.sent_at)?)
    };
    let refreshed = session.get_or_refresh(&api(), source).await.unwrap();
    assert_eq!(access_token(&refreshed), "at-new");
    clock.advance(Duration::from_secs(601));
    let again = session.get_or_refresh(&api(), provider.clone()).await;
    assert!(again.unwrap_err().is_signed_out(), "`rt-new` was sent");
}

#[tokio::test]
async fn without_a_refresh_token_there_is_no_default_lifetime() {
    let mut policy = RefreshPolicy::default();
    policy.default_lifetime = Some(Duration::from_secs(1));
    let session = signed_in(&server_with(MemoryStore::new(), policy).await).await;
    let tokens = TokenSet::new("at").unwrap();
    let tokens = tokens.with_issued_at(Timestamp::from_secs(1));
    session.put(&api(), tokens).await.unwrap();
    let provider = Provider::new();
    let served = session.get_or_refresh(&api(), provider.clone()).await;
    assert_eq!(
        (access_token(&served.unwrap()), provider.calls()),
        ("at", 0)
    );
}
