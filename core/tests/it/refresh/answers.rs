use std::time::Duration;

use token_cache_core::{
    AfterLostAnswer, ErrorKind, ExposeSecret, MemoryStore, RefreshError, RefreshPolicy,
    RefreshRequest, Session, Timestamp, TokenSet, test_util::ODD_TOKEN_RESPONSES,
};

use super::{
    access_token, api, assert_unlocked, due,
    provider::{Behaviour, Provider},
    refresh_token, server, server_with, signed_in, stored,
};

fn read(request: &RefreshRequest, response: &serde_json::Value) -> Result<TokenSet, RefreshError> {
    Ok(TokenSet::from_response(response, request.sent_at)?)
}

const OVER_THE_LIMIT: usize = 17 << 20;

/// Answers without an access token: each is an error for all waiting callers, and changes nothing.
const UNUSABLE: [&str; 9] = [
    r#"{"token_type": "Bearer"}"#,
    r#"{"access_token": "", "token_type": "Bearer"}"#,
    r#"{"access_token": " ", "token_type": "Bearer"}"#,
    r#"{"access_token": null, "token_type": "Bearer"}"#,
    r#"{"access_token": 7, "token_type": "Bearer"}"#,
    // The refresh token may be in the missing part.
    r#"{"access_token": "at", "token_type": "Bea"#,
    r#"["no", "object"]"#,
    "<html>",
    "",
];

#[tokio::test]
async fn an_answer_that_can_not_be_used_changes_nothing() {
    for body in UNUSABLE {
        let provider = Provider::new();
        let (store, _, session) = due(&provider).await;
        let source = move |request: RefreshRequest| async move {
            TokenSet::from_json(body.as_bytes(), request.sent_at)
        };
        let callers = [(); 5].map(|()| {
            let session = session.clone();
            tokio::spawn(async move { session.get_or_refresh(&api(), source).await })
        });
        for caller in callers {
            let error = caller.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ProviderMalformed, "{error}");
        }
        assert_unlocked(&store, &session).await;
        assert_eq!(refresh_token(&stored(&session).await), "rt-0");
    }
}

#[tokio::test]
async fn a_slightly_wrong_answer_loses_no_refresh_token() {
    for odd in ODD_TOKEN_RESPONSES {
        let body = String::from_utf8_lossy(odd.body);
        let provider = Provider::new();
        let (_, _, session) = due(&provider).await;
        let source = move |request: RefreshRequest| async move {
            TokenSet::from_json(odd.body, request.sent_at)
        };
        let tokens = session.get_or_refresh(&api(), source).await;
        let tokens = tokens.unwrap_or_else(|error| panic!("{body}: {error}"));
        for tokens in [tokens, stored(&session).await] {
            assert_eq!(access_token(&tokens), "at-2", "{body}");
            let expected = odd.refresh_token.unwrap_or("rt-0");
            assert_eq!(refresh_token(&tokens), expected, "{body}");
            let lifetime = tokens
                .expires_at()
                .map(|at| at.since(tokens.issued_at().unwrap()));
            assert_eq!(lifetime, odd.lifetime.map(Duration::from_secs), "{body}");
            assert_eq!(tokens.scopes(), odd.scopes, "{body}");
        }
    }
}

/// Read through the crate `serde_json`, from what another client has parsed.
#[test]
fn a_slightly_wrong_response_is_read_from_any_source() {
    for odd in ODD_TOKEN_RESPONSES {
        let Ok(response) = serde_json::from_slice::<serde_json::Value>(odd.body) else {
            continue;
        };
        if response["access_token"] != "at-2" {
            // For a member that is sent twice, that crate uses the last value, even if it is unusable.
            continue;
        }
        let sent_at = token_cache_core::Timestamp::from_secs(1_700_000_000);
        let tokens = TokenSet::from_response(&response, sent_at).unwrap();
        assert_eq!(access_token(&tokens), "at-2");
        let lifetime = odd.lifetime.map(Duration::from_secs);
        assert_eq!(
            tokens.expires_at(),
            lifetime.map(|lifetime| sent_at + lifetime)
        );
    }
}

/// The provider has replaced the token that was sent, and its answer has no access token.
#[tokio::test]
async fn a_refresh_token_that_comes_without_an_access_token_is_stored() {
    for after_lost_answer in [AfterLostAnswer::SendAgain, AfterLostAnswer::EndSession] {
        let mut policy = RefreshPolicy::default();
        policy.after_lost_answer = after_lost_answer;
        policy.pause = Duration::from_millis(10);
        let session = signed_in(&server_with(MemoryStore::new(), policy).await).await;
        let provider = Provider::new();
        session.put(&api(), provider.expired()).await.unwrap();
        let source = |request: RefreshRequest| async move {
            let response = serde_json::json!({"token_type": "Bearer", "refresh_token": "rt-new"});
            Ok(TokenSet::from_response(&response, request.sent_at)?)
        };
        let error = session.get_or_refresh(&api(), source).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ProviderMalformed, "{error}");
        assert!(!format!("{error:?} {error:#?}").contains("rt-new"));
        let tokens = stored(&session).await;
        assert_eq!(
            (access_token(&tokens), refresh_token(&tokens)),
            ("at-0", "rt-new")
        );
    }
}

#[tokio::test]
async fn a_refresh_token_without_an_access_token_that_loses_to_a_sign_out_is_revoked() {
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    provider.next(Behaviour::Answer(|request| {
        let response = serde_json::json!({"token_type": "Bearer", "refresh_token": "rt-new"});
        Ok(TokenSet::from_response(&response, request.sent_at)?)
    }));
    provider.hold();
    let refreshing = tokio::spawn({
        let (session, provider) = (session.clone(), provider.clone());
        async move { session.get_or_refresh(&api(), provider).await }
    });
    provider.called(1).await;
    let _ = session.sign_out().await.unwrap();
    provider.go_on();
    assert!(refreshing.await.unwrap().unwrap_err().is_signed_out());
    assert_eq!(provider.revoked(), ["rt-new"]);
}

/// A source that counts from its own clock.
#[tokio::test]
async fn an_expiry_that_can_not_be_true_is_dropped_and_not_the_tokens() {
    let expiries: [fn(&RefreshRequest) -> Timestamp; 3] = [
        |request| request.sent_at,
        |_| Timestamp::from_secs(1),
        |_| Timestamp::MAX,
    ];
    for expiry in expiries {
        let provider = Provider::new();
        let (_, _, session) = due(&provider).await;
        let source = move |request: RefreshRequest| async move {
            Ok(TokenSet::new("at-2")?
                .with_refresh_token("rt-2")
                .with_expires_at(expiry(&request)))
        };
        let tokens = session.get_or_refresh(&api(), source).await.unwrap();
        assert_eq!(
            (refresh_token(&tokens), tokens.expires_at()),
            ("rt-2", None)
        );
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_changes_nothing() {
    let provider = Provider::new();
    let (store, _, session) = due(&provider).await;
    provider.next(Behaviour::Answer(|request| {
        Ok(TokenSet::new("x".repeat(OVER_THE_LIMIT))
            .unwrap()
            .with_expires_at(request.sent_at + Duration::from_secs(60)))
    }));
    let error = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_unlocked(&store, &session).await;
    assert_eq!(refresh_token(&stored(&session).await), "rt-0");
    let tokens = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap();
    assert_eq!(access_token(&tokens), "at-1");
}

/// The token that was sent is spent, so the session would end without the new one.
#[tokio::test]
async fn the_refresh_token_of_an_answer_over_the_limit_is_kept() {
    for after in [AfterLostAnswer::SendAgain, AfterLostAnswer::EndSession] {
        let provider = Provider::new();
        let session = due_with(after, &provider).await;
        provider.next(Behaviour::Answer(|request| {
            let tokens = TokenSet::new("x".repeat(OVER_THE_LIMIT)).unwrap();
            Ok(tokens
                .with_expires_at(request.sent_at + Duration::from_secs(60))
                .with_refresh_token("rt-new"))
        }));
        let refused = session.get_or_refresh(&api(), provider.clone()).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::TooLarge);
        let kept = stored(&session).await;
        assert_eq!(
            (access_token(&kept), refresh_token(&kept)),
            ("at-0", "rt-new")
        );
        assert!(provider.revoked().is_empty());
    }
}

/// With this policy, the entry records that its refresh token has been sent.
#[tokio::test]
async fn an_answer_over_the_limit_is_not_lost() {
    let provider = Provider::new();
    let session = due_with(AfterLostAnswer::EndSession, &provider).await;
    provider.next(Behaviour::Answer(|_| {
        Ok(TokenSet::new("x".repeat(OVER_THE_LIMIT)).unwrap())
    }));
    let refused = session.get_or_refresh(&api(), provider.clone()).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::TooLarge);
    let tokens = session.get_or_refresh(&api(), provider).await.unwrap();
    assert_eq!(access_token(&tokens), "at-1");
}

#[tokio::test]
async fn a_refresh_token_over_the_limit_is_revoked() {
    let without_access_token: fn(RefreshRequest) -> Result<TokenSet, RefreshError> = |request| {
        let new = "x".repeat(OVER_THE_LIMIT);
        let response = serde_json::json!({"token_type": "Bearer", "refresh_token": new});
        read(&request, &response)
    };
    let with_access_token: fn(RefreshRequest) -> Result<TokenSet, RefreshError> = |request| {
        let tokens = TokenSet::new("at").unwrap();
        Ok(tokens
            .with_expires_at(request.sent_at + Duration::from_secs(60))
            .with_refresh_token("x".repeat(OVER_THE_LIMIT)))
    };
    for answer in [without_access_token, with_access_token] {
        let provider = Provider::new();
        let (_, _, session) = due(&provider).await;
        provider.next(Behaviour::Answer(answer));
        let refused = session.get_or_refresh(&api(), provider.clone()).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::TooLarge);
        let lengths: Vec<usize> = provider.revoked().iter().map(String::len).collect();
        assert_eq!(lengths, [OVER_THE_LIMIT]);
        assert_eq!(refresh_token(&stored(&session).await), "rt-0");
    }
}

async fn due_with(after: AfterLostAnswer, provider: &Provider) -> Session {
    let mut policy = RefreshPolicy::default();
    policy.after_lost_answer = after;
    let cache = server_with(MemoryStore::new(), policy).await;
    let session = signed_in(&cache).await;
    session.put(&api(), provider.expired()).await.unwrap();
    session
}

/// Some providers send an empty refresh token if there is no new one.
#[tokio::test]
async fn an_empty_token_replaces_none_that_is_good() {
    let answers: [fn(RefreshRequest) -> Result<TokenSet, RefreshError>; 2] = [
        |request| {
            read(
                &request,
                &serde_json::json!({
                    "access_token": "at", "token_type": "Bearer", "expires_in": 60,
                    "refresh_token": "", "id_token": "",
                }),
            )
        },
        |request| {
            Ok(TokenSet::new("at")
                .unwrap()
                .with_expires_at(request.sent_at + Duration::from_secs(60))
                .with_refresh_token("")
                .with_id_token(""))
        },
    ];
    for answer in answers {
        let provider = Provider::new();
        let cache = server(MemoryStore::new()).await;
        let session = signed_in(&cache).await;
        let tokens = provider.expired().with_id_token("id");
        session.put(&api(), tokens).await.unwrap();
        provider.next(Behaviour::Answer(answer));
        let tokens = session.get_or_refresh(&api(), provider).await.unwrap();
        for tokens in [tokens, stored(&session).await] {
            assert_eq!(
                (access_token(&tokens), refresh_token(&tokens)),
                ("at", "rt-0")
            );
            assert_eq!(tokens.id_token().unwrap().expose_secret(), "id");
        }
    }
}
