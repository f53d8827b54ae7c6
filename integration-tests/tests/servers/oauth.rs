use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use token_cache_integration_tests::servers::{
    CLIENT_ID, CLIENT_SECRET, OAuthProvider, ProviderCounts, ProviderFault,
};

struct Answered {
    status: u16,
    retry_after: Option<String>,
    body: Value,
}

/// Posts a form with the client's credentials in it. Returns `None` if the connection was closed.
async fn post(url: String, form: &[(&str, &str)]) -> Option<Answered> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", CLIENT_ID)
        .append_pair("client_secret", CLIENT_SECRET)
        .extend_pairs(form)
        .finish();
    let request = Request::post(url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let answer = client.request(request).await.ok()?;
    let status = answer.status().as_u16();
    let retry_after = answer.headers().get(RETRY_AFTER);
    let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    Some(Answered {
        status,
        retry_after,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

async fn refresh(provider: &OAuthProvider, token: &str) -> Option<Answered> {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    post(provider.token_url(), &form).await
}

fn token(response: &Value, name: &str) -> String {
    response[name].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_once_and_its_reuse_revokes_the_family() {
    let provider = OAuthProvider::start().unwrap();
    let signed_in = provider.sign_in("ada");
    let others = provider.sign_in("ada");
    let first = token(&signed_in, "refresh_token");
    let second = refresh(&provider, &first).await.unwrap();
    let access_token = token(&second.body, "access_token");
    assert_eq!(second.status, 200);
    assert!(provider.is_live(&access_token));
    assert!(!provider.is_live(&first));

    let reused = refresh(&provider, &first).await.unwrap();
    assert_eq!(
        (reused.status, &reused.body["error"]),
        (400, &"invalid_grant".into())
    );
    assert!(!provider.is_live(&access_token));
    assert!(!provider.is_live(&token(&second.body, "refresh_token")));
    assert!(provider.is_live(&token(&others, "refresh_token")));
    assert_eq!(provider.calls_with(&first), 2);
    let counts = provider.counts();
    assert_eq!(
        (
            counts.refreshes,
            counts.rotations,
            counts.reuses,
            counts.revoked_families
        ),
        (2, 1, 1, 1)
    );
}

#[tokio::test]
async fn within_the_grace_a_spent_token_gives_the_same_successor_until_that_is_spent() {
    let provider = OAuthProvider::start().unwrap();
    provider.grace(Duration::from_secs(3600));
    let first = token(&provider.sign_in("ada"), "refresh_token");
    let once = refresh(&provider, &first).await.unwrap();
    let twice = refresh(&provider, &first).await.unwrap();
    assert_eq!(once.body["refresh_token"], twice.body["refresh_token"]);
    assert_eq!((provider.counts().graced, provider.counts().reuses), (1, 0));

    refresh(&provider, &token(&once.body, "refresh_token"))
        .await
        .unwrap();
    assert_eq!(refresh(&provider, &first).await.unwrap().status, 400);
    assert_eq!(provider.counts().reuses, 1);
}

#[tokio::test]
async fn each_fault_happens_once_and_says_whether_the_token_is_spent() {
    let provider = OAuthProvider::start().unwrap();
    for (fault, status, is_spent) in [
        (
            ProviderFault::Unavailable {
                retry_after: Some(7),
            },
            Some(503),
            false,
        ),
        (ProviderFault::TooMany { retry_after: 7 }, Some(429), false),
        (ProviderFault::Code("invalid_scope"), Some(400), false),
        (ProviderFault::CutRequest, None, false),
        (ProviderFault::DropAnswer, None, true),
        (ProviderFault::Malformed, Some(200), true),
        (ProviderFault::NoAccessToken, Some(200), true),
    ] {
        let first = token(&provider.sign_in("ada"), "refresh_token");
        provider.on_next(fault);
        let met = refresh(&provider, &first).await;
        assert_eq!(met.as_ref().map(|met| met.status), status, "{fault:?}");
        if let Some(503 | 429) = status {
            assert_eq!(met.unwrap().retry_after.as_deref(), Some("7"));
        }
        assert_eq!(!provider.is_live(&first), is_spent, "{fault:?}");
        let then = refresh(&provider, &first).await.unwrap().status;
        assert_eq!(then, if is_spent { 400 } else { 200 }, "{fault:?}");
        assert_eq!(provider.calls_with(&first), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_refresh_has_spent_its_token_and_is_answered_when_released() {
    let provider = OAuthProvider::start().unwrap();
    provider.hold();
    let first = token(&provider.sign_in("ada"), "refresh_token");
    let url = provider.token_url();
    let sent = first.clone();
    let waiting = tokio::spawn(async move {
        let form = [("grant_type", "refresh_token"), ("refresh_token", &*sent)];
        post(url, &form).await
    });
    tokio::task::block_in_place(|| provider.wait_until_holding(1)).unwrap();
    assert!(!waiting.is_finished());
    assert!(!provider.is_live(&first));
    provider.release();
    assert_eq!(waiting.await.unwrap().unwrap().status, 200);
}

#[tokio::test]
async fn a_provider_that_is_down_takes_no_connection() {
    let provider = OAuthProvider::start().unwrap();
    let first = token(&provider.sign_in("ada"), "refresh_token");
    provider.refuse(true);
    assert!(refresh(&provider, &first).await.is_none());
    provider.refuse(false);
    assert_eq!(refresh(&provider, &first).await.unwrap().status, 200);
    assert_eq!(provider.calls_with(&first), 1);
}

#[tokio::test]
async fn a_revocation_ends_a_family_or_all_that_the_user_granted() {
    let provider = OAuthProvider::start().unwrap();
    let families = [(); 3].map(|()| token(&provider.sign_in("ada"), "refresh_token"));
    let stranger = token(&provider.sign_in("grace"), "refresh_token");
    for (all, live) in [(false, [false, true, true]), (true, [false, false, false])] {
        provider.revokes_grants(all);
        let revoked = usize::from(all);
        let form = [("token", families[revoked].as_str())];
        post(provider.revocation_url(), &form).await.unwrap();
        assert_eq!(
            families.each_ref().map(|token| provider.is_live(token)),
            live
        );
    }
    assert!(provider.is_live(&stranger));
    provider.wait_for_revocations(2).unwrap();
    assert_eq!(provider.counts().revoked_families, 3);
}

#[tokio::test]
async fn who_is_not_the_client_spends_nothing() {
    let provider = OAuthProvider::start().unwrap();
    let first = token(&provider.sign_in("ada"), "refresh_token");
    // With a second secret in the request, neither of the two is accepted.
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &*first),
        ("client_secret", "wrong"),
    ];
    let refused = post(provider.token_url(), &form).await.unwrap();
    assert_eq!(
        (refused.status, &refused.body["error"]),
        (401, &"invalid_client".into())
    );
    assert!(provider.is_live(&first));
    assert_ne!(provider.counts(), ProviderCounts::default());
}

#[tokio::test]
async fn tokens_without_a_user_and_on_a_users_behalf() {
    let provider = OAuthProvider::start().unwrap();
    let form = [("grant_type", "client_credentials"), ("scope", "reports")];
    let own = post(provider.token_url(), &form).await.unwrap().body;
    assert_eq!(own["scope"], "reports");
    assert!(own.get("refresh_token").is_none());

    let users = token(&provider.sign_in("ada"), "access_token");
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    for (subject_token, status) in [(users.as_str(), 200), ("unknown", 400)] {
        let form = [("grant_type", exchange), ("subject_token", subject_token)];
        let answered = post(provider.token_url(), &form).await.unwrap();
        assert_eq!(answered.status, status);
    }
    assert_eq!(provider.asked().len(), 3);
}
