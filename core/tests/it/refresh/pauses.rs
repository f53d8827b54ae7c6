use std::time::Duration;

use token_cache_core::{
    EntryKey, ErrorKind, MemoryStore, RefreshError, RefreshOptions, TokenSource as _,
};
use tokio::time::advance;

use super::{
    access_token, api, due,
    provider::{Behaviour, Provider},
    server, signed_in,
};

fn failures() -> Vec<(RefreshError, ErrorKind, u64)> {
    let refused = ErrorKind::ProviderRefused;
    vec![
        (RefreshError::of_code("invalid_client"), refused, 10),
        (RefreshError::of_code("unauthorized_client"), refused, 10),
        (RefreshError::of_code("of its own"), refused, 10),
        (RefreshError::refused("404"), refused, 10),
        (
            RefreshError::of_code("interaction_required"),
            ErrorKind::InteractionRequired,
            10,
        ),
        (
            RefreshError::malformed("no JSON"),
            ErrorKind::ProviderMalformed,
            10,
        ),
        (
            RefreshError::malformed("no JSON").answer_lost(),
            ErrorKind::ProviderMalformed,
            20,
        ),
        (
            RefreshError::transient("503"),
            ErrorKind::ProviderUnavailable,
            1,
        ),
        (
            RefreshError::transient("503").retry_after(Duration::ZERO),
            ErrorKind::ProviderUnavailable,
            1,
        ),
        (
            RefreshError::transient("502").answer_lost(),
            ErrorKind::ProviderUnavailable,
            20,
        ),
        (
            // Only an unavailable provider may ask for a long pause.
            RefreshError::refused("400").retry_after(Duration::from_secs(86_400)),
            refused,
            10,
        ),
    ]
}

/// An app under load must not call the provider for each of its own requests.
#[tokio::test(start_paused = true)]
async fn a_thousand_requests_after_a_failure_ask_the_provider_once() {
    for (failure, kind, _) in failures() {
        let provider = Provider::new();
        let (_, _, session) = due(&provider).await;
        provider.next(Behaviour::Fail(failure.clone()));
        for _ in 0..1_000 {
            let failed = session.get_or_refresh(&api(), provider.clone()).await;
            assert_eq!(failed.unwrap_err().kind(), kind, "{failure}");
        }
        assert_eq!(provider.calls(), 1, "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_in_time_and_is_longer_after_a_lost_answer() {
    for (failure, kind, seconds) in failures() {
        let provider = Provider::new();
        let (_, _, session) = due(&provider).await;
        let key = api();
        let refresh = || session.get_or_refresh(&key, provider.clone());
        provider.next(Behaviour::Fail(failure.clone()));
        assert_eq!(refresh().await.unwrap_err().kind(), kind);
        advance(Duration::from_millis(seconds * 1_000 - 500)).await;
        assert_eq!(refresh().await.unwrap_err().kind(), kind, "{failure}");
        advance(Duration::from_secs(1)).await;
        let tokens = refresh().await;
        let tokens = tokens.unwrap_or_else(|error| panic!("{failure}: {error}"));
        assert_eq!((access_token(&tokens), provider.calls()), ("at-1", 2));
    }
}

/// For example, the user has signed in again, or another server's refresh succeeded.
#[tokio::test(start_paused = true)]
async fn a_new_refresh_token_ends_a_pause() {
    for (failure, kind, _) in failures() {
        let provider = Provider::new();
        let (_, _, session) = due(&provider).await;
        provider.next(Behaviour::Fail(failure.clone()));
        let failed = session.get_or_refresh(&api(), provider.clone()).await;
        assert_eq!(failed.unwrap_err().kind(), kind);
        session.put(&api(), provider.expired()).await.unwrap();
        let tokens = session.get_or_refresh(&api(), provider.clone()).await;
        let tokens = tokens.unwrap_or_else(|error| panic!("{failure}: {error}"));
        assert_eq!((access_token(&tokens), provider.calls()), ("at-2", 2));
    }
}

/// A refusal of one resource does not affect another one with the same refresh token. Other failures do.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_about_one_resource() {
    let mail = EntryKey::new("mail").unwrap();
    let for_mail = || RefreshOptions::new().spending(api());
    for (failure, kind, _) in failures() {
        let is_about_resource = matches!(
            kind,
            ErrorKind::ProviderRefused | ErrorKind::InteractionRequired
        );
        let provider = Provider::new();
        let (_, _, session) = due(&provider).await;
        provider.next(Behaviour::Fail(failure.clone()));
        for _ in 0..10 {
            let failed = session
                .get_or_refresh_with(&mail, provider.clone(), for_mail())
                .await;
            assert_eq!(failed.unwrap_err().kind(), kind);
        }
        assert_eq!(provider.calls(), 1, "{failure}");
        let other = session.get_or_refresh(&api(), provider.clone()).await;
        assert_eq!(other.is_ok(), is_about_resource, "{failure}");
        // The entry has another refresh token now.
        session.put(&api(), provider.expired()).await.unwrap();
        session
            .get_or_refresh_with(&mail, provider.clone(), for_mail())
            .await
            .unwrap_or_else(|error| panic!("{failure}: {error}"));
    }
}

/// A source that needs no refresh token has no version that could end its pause.
#[tokio::test(start_paused = true)]
async fn tokens_of_the_app_itself_are_paused_too() {
    let session = signed_in(&server(MemoryStore::new()).await).await;
    let provider = Provider::new();
    provider.next(Behaviour::Fail(RefreshError::of_code("invalid_client")));
    let key = api();
    let refresh = || {
        let options = RefreshOptions::new().without_refresh_token();
        session.get_or_refresh_with(&key, provider.clone(), options)
    };
    for _ in 0..100 {
        let refused = refresh().await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ProviderRefused);
    }
    assert_eq!(provider.calls(), 1);
    advance(Duration::from_secs(11)).await;
    refresh().await.unwrap();
}

/// Error codes for a session that continues and for one that ends, as the source decides.
#[tokio::test]
async fn a_source_classifies_error_codes_itself() {
    for (dead, ends) in [("bad_refresh_token", true), ("another", false)] {
        let provider = Provider::new();
        let (_, _, session) = due(&provider).await;
        provider.next(Behaviour::Fail(RefreshError::of_code("bad_refresh_token")));
        let source = move |request| {
            let provider = provider.clone();
            async move {
                provider.refresh(request).await.map_err(|error| {
                    if error
                        .response()
                        .is_some_and(|response| response.code() == dead)
                    {
                        error.with_kind(token_cache_core::RefreshErrorKind::InvalidGrant)
                    } else {
                        error
                    }
                })
            }
        };
        let error = session.get_or_refresh(&api(), source).await.unwrap_err();
        assert_eq!(error.is_signed_out(), ends);
        assert_eq!(session.get(&api()).await.is_err(), ends);
    }
}

/// Microsoft Entra requires a second factor for one resource.
#[tokio::test]
async fn what_the_user_must_do_first_ends_no_session_and_reaches_the_app() {
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    let body =
        br#"{"error": "invalid_grant", "suberror": "basic_action", "error_description": "canary",
        "claims": "{\"access_token\":{\"polids\":{\"essential\":true}}}"}"#;
    let response = token_cache_core::ErrorResponse::from_json(body).unwrap();
    provider.next(Behaviour::Fail(RefreshError::of_response(response)));
    let error = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InteractionRequired);
    assert!(!format!("{error} {error:?} {error:#?}").contains("canary"));
    let response = error.refresh_error().unwrap().response().unwrap();
    assert_eq!(response.suberror(), Some("basic_action"));
    assert_eq!(response.description(), Some("canary"));
    let claims = response.claims().unwrap();
    serde_json::from_str::<serde_json::Value>(claims).unwrap();
    session.get(&api()).await.unwrap().unwrap();
}
