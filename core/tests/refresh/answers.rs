use std::time::Duration;

use token_cache_core::{
    ErrorKind, ExposeSecret, MemoryStore, RefreshError, RefreshRequest, TokenSet,
};

use super::{
    access_token, api, assert_unlocked, due,
    provider::{Behaviour, Provider},
    refresh_token, server, signed_in, stored,
};

fn read(request: &RefreshRequest, response: &serde_json::Value) -> Result<TokenSet, RefreshError> {
    Ok(TokenSet::from_response(response, request.sent_at)?)
}

const OVER_THE_LIMIT: usize = 17 << 20;

/// Answers that can't be used: each is an error to all who wait, and leaves everything as it was.
const UNUSABLE: [fn(RefreshRequest) -> Result<TokenSet, RefreshError>; 7] = [
    |request| {
        read(
            &request,
            &serde_json::json!({"token_type": "Bearer", "refresh_token": "rt"}),
        )
    },
    |request| {
        read(
            &request,
            &serde_json::json!({"access_token": "", "token_type": "Bearer"}),
        )
    },
    |request| {
        read(
            &request,
            &serde_json::json!({"access_token": "at", "token_type": "Bearer", "expires_in": -1}),
        )
    },
    |request| {
        read(
            &request,
            &serde_json::json!({"access_token": "at", "token_type": "Bearer", "expires_in": 0}),
        )
    },
    |request| {
        read(
            &request,
            &serde_json::json!({"access_token": "at", "token_type": "Bearer", "expires_in": 1e30}),
        )
    },
    |request| {
        read(
            &request,
            &serde_json::json!({"access_token": "at", "token_type": "Bearer", "expires_in": u64::MAX}),
        )
    },
    |request| read(&request, &serde_json::json!(["no", "object"])),
];

#[tokio::test]
async fn an_answer_that_can_not_be_used_changes_nothing() {
    for answer in UNUSABLE {
        let provider = Provider::new();
        let (store, _, session) = due(&provider).await;
        provider.next(Behaviour::Answer(answer));
        let callers = [(); 5].map(|()| {
            let (session, provider) = (session.clone(), provider.clone());
            tokio::spawn(async move { session.get_or_refresh(&api(), provider).await })
        });
        for caller in callers {
            let error = caller.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ProviderMalformed, "{error}");
        }
        assert_unlocked(&store, &session).await;
        assert_eq!(provider.calls(), 1);
        assert_eq!(refresh_token(&stored(&session).await), "rt-0");
        let tokens = session
            .get_or_refresh(&api(), provider.clone())
            .await
            .unwrap();
        assert_eq!(access_token(&tokens), "at-1");
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_changes_nothing() {
    let provider = Provider::new();
    let (store, _, session) = due(&provider).await;
    provider.next(Behaviour::Answer(|request| {
        Ok(TokenSet::new("x".repeat(OVER_THE_LIMIT))
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

/// Some providers say that there is no new refresh token by an empty one.
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
