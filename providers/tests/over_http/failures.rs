use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use token_cache_core::RefreshErrorKind::{
    self, InteractionRequired, InvalidGrant, Malformed, Refused, Transient,
};
use token_cache_core::{RefreshError, RefreshRequest, TokenSet, TokenSource};
use token_cache_providers::{CodeExchange, OnBehalfOfGrant};

use super::server::{Answer, Server};
use super::{SENT_AT, builder, provider, request};

async fn fails(answer: impl Fn() -> Answer + Send + Sync + 'static) -> RefreshError {
    let server = Server::start(move |_| answer()).await;
    let error = provider(&server).refresh(request()).await.unwrap_err();
    assert_eq!(server.received().len(), 1, "a refresh token is sent once");
    error
}

#[tokio::test]
async fn each_error_code_says_whom_it_is_about() {
    for (status, code, kind) in [
        (400, "invalid_grant", InvalidGrant),
        (401, "invalid_client", Refused),
        (400, "unauthorized_client", Refused),
        (400, "invalid_scope", Refused),
        (400, "invalid_target", Refused),
        (400, "unsupported_grant_type", Refused),
        (400, "something_of_its_own", Refused),
        (400, "temporarily_unavailable", Transient),
        // An error of the provider itself, with any code.
        (500, "invalid_grant", Transient),
        // GitHub sends error responses with the status 200.
        (200, "invalid_grant", InvalidGrant),
        (400, "interaction_required", InteractionRequired),
    ] {
        let body = json!({"error": code, "error_description": "what"});
        let error = fails(move || Answer::json(status, &body)).await;
        assert_eq!(error.kind(), kind, "{status} {code}");
    }
}

const CLAIMS: &str = r#"{"access_token":{"capolids":{"essential":true}}}"#;

/// Returns the errors of a refresh and of an assertion for an error code, a suberror and claims.
async fn refused(code: &str, suberror: &Value, claims: &Value, kind: RefreshErrorKind) {
    let body = json!({
        "error": code, "suberror": suberror, "claims": claims,
        "error_description": "canary: ada must consent", "error_codes": [50076],
    });
    let sent = body.clone();
    let server = Server::start(move |_| Answer::json(400, &sent)).await;
    let provider = provider(&server);
    let behalf = provider.on_behalf_of("assertion", OnBehalfOfGrant::JwtBearer);
    let anew = RefreshRequest::new(None, SENT_AT);
    for answered in [
        provider.refresh(request()).await,
        behalf.refresh(anew).await,
    ] {
        let error = answered.unwrap_err();
        assert_eq!(error.kind(), kind, "{body}");
        let response = error.response().unwrap();
        assert_eq!(response.code(), code);
        let expected = suberror.as_str().filter(|text| !text.is_empty());
        assert_eq!(response.suberror(), expected);
        let expected = claims.as_str().filter(|text| !text.is_empty());
        assert_eq!(response.claims(), expected);
        assert_eq!(response.description(), Some("canary: ada must consent"));
        assert!(!format!("{error} {error:?} {error:#?}").contains("canary"));
    }
}

/// A `suberror` of Microsoft Entra distinguishes a required interaction from an invalid refresh token.
#[tokio::test]
async fn an_invalid_grant_with_a_suberror_says_whether_the_grant_is_dead() {
    let (none, claims) = (json!(null), json!(CLAIMS));
    for suberror in [
        "basic_action",
        "additional_action",
        "message_only",
        "user_password_expired",
        "consent_required",
        "client_mismatch",
        "protection_policy_required",
        "of_tomorrow",
    ] {
        for code in ["invalid_grant", "interaction_required"] {
            refused(code, &json!(suberror), &claims, InteractionRequired).await;
            refused(code, &json!(suberror), &none, InteractionRequired).await;
        }
    }
    refused("invalid_grant", &none, &claims, InteractionRequired).await;
    for suberror in ["bad_token", "token_expired"] {
        for code in ["invalid_grant", "interaction_required"] {
            refused(code, &json!(suberror), &claims, InvalidGrant).await;
        }
    }
    for nothing in [json!(null), json!(""), json!(7)] {
        refused("invalid_grant", &nothing, &nothing, InvalidGrant).await;
    }
}

#[tokio::test]
async fn what_a_provider_says_to_the_app_is_bounded() {
    let long = "ü".repeat(10_000);
    let body = json!({
        "error": "invalid_grant", "suberror": long, "claims": long, "error_description": long,
    });
    let error = fails(move || Answer::json(400, &body)).await;
    let response = error.response().unwrap();
    assert_eq!(response.suberror().unwrap().len(), 128);
    assert_eq!(response.description().unwrap().len(), 1024);
    // Truncated claims would be useless.
    assert_eq!(response.claims(), None);
    assert!(format!("{error} {error:?}").len() < 1024);
}

#[tokio::test]
async fn a_dead_grant_with_a_name_of_its_own_can_be_configured() {
    for (status, body, kind) in [
        (200, json!({"error": "bad_refresh_token"}), InvalidGrant),
        (400, json!({"error": "bad_refresh_token"}), InvalidGrant),
        (
            400,
            json!({"error": "invalid_grant", "suberror": "gone_forever"}),
            InvalidGrant,
        ),
        (400, json!({"error": "bad_verification_code"}), Refused),
    ] {
        let sent = body.clone();
        let server = Server::start(move |_| Answer::json(status, &sent)).await;
        let provider = builder(&server).invalid_grant_codes(["bad_refresh_token", "gone_forever"]);
        let error = provider
            .build()
            .unwrap()
            .refresh(request())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{body}");
    }
    let by_default = fails(|| Answer::json(400, &json!({"error": "bad_refresh_token"}))).await;
    assert_eq!(by_default.kind(), Refused);
}

#[tokio::test]
async fn each_status_without_a_code_has_its_kind() {
    for (status, kind) in [
        (500, Transient),
        (502, Transient),
        (503, Transient),
        (429, Transient),
        (408, Transient),
        (404, Refused),
        (403, Refused),
        (304, Malformed),
    ] {
        let error = fails(move || Answer::new(status, &[], "<html>")).await;
        assert_eq!(error.kind(), kind, "{status}");
        assert_eq!(error.pause(), None);
    }
}

/// Whether the refresh token may be used up.
#[tokio::test]
async fn an_answer_that_a_gateway_gave_or_that_can_not_be_read_is_lost() {
    for (status, body, is_lost) in [
        (502, "<html>", true),
        (504, "<html>", true),
        (200, "<html>", true),
        (200, r#"{"error":"invalid_client"}"#, false),
        (500, "", false),
        (503, "", false),
        (429, "", false),
        (404, "", false),
        (304, "", false),
    ] {
        let error = fails(move || Answer::new(status, &[], body)).await;
        assert_eq!(error.is_answer_lost(), is_lost, "{status} {body}");
    }
}

#[tokio::test]
async fn the_pause_that_is_asked_for_is_told() {
    let dated = [
        ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"),
        ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ];
    for (status, headers, pause) in [
        (503, vec![("retry-after", "7")], Some(7)),
        (429, vec![("retry-after", "7")], Some(7)),
        (503, dated.to_vec(), Some(30)),
        (503, vec![("retry-after", "whenever")], None),
    ] {
        let error = fails(move || Answer::new(status, &headers, "")).await;
        assert_eq!(error.kind(), Transient);
        assert_eq!(error.pause(), pause.map(Duration::from_secs));
    }
}

#[tokio::test]
async fn an_answer_that_is_no_token_response_is_malformed() {
    for body in [
        "",
        "<html>one moment, please</html>",
        "[]",
        "null",
        r#"{"token_type":"Bearer"}"#,
        r#"{"access_token":7,"token_type":"Bearer"}"#,
        r#"{"access_token":"","token_type":"Bearer"}"#,
        r#"{"access_token":"at","token_ty"#,
    ] {
        let error = fails(move || Answer::new(200, &[], body)).await;
        assert_eq!(error.kind(), Malformed, "{body}");
    }
}

#[tokio::test]
async fn an_id_token_of_another_user_is_refused() {
    let id_token = |subject: &str| {
        let claims = json!({"iss": "https://id.example", "sub": subject}).to_string();
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
        format!("e30.{claims}.c2ln")
    };
    for (subject, kind) in [("ada", None), ("eve", Some(Malformed))] {
        let body = json!({
            "access_token": "at-2", "token_type": "Bearer", "id_token": id_token(subject),
        });
        let server = Server::start(move |_| Answer::json(200, &body)).await;
        let tokens = TokenSet::new("at-1")
            .unwrap()
            .with_refresh_token("rt-1")
            .with_id_token(id_token("ada"));
        let asked = RefreshRequest::new(Some(tokens), SENT_AT);
        let outcome = provider(&server).refresh(asked).await;
        assert_eq!(outcome.err().map(|error| error.kind()), kind);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_or_is_refused_may_be_tried_again() {
    assert_eq!(fails(|| Answer::BrokenOff).await.kind(), Transient);

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", nobody.local_addr().unwrap());
    drop(nobody);
    let provider = token_cache_providers::Provider::builder(url, "shop");
    let error = provider
        .build()
        .unwrap()
        .refresh(request())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Transient);
    assert!(error.to_string().contains("cannot be reached"), "{error}");
}

#[tokio::test]
async fn an_answer_that_never_comes_is_given_up() {
    let server = Server::start(|_| Answer::Never).await;
    let provider = builder(&server)
        .timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    for outcome in [
        provider.refresh(request()).await.map(drop),
        provider.revoke("rt".into()).await,
    ] {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), Transient);
        assert!(error.to_string().contains("in time"), "{error}");
    }
}

#[tokio::test]
async fn a_revocation_that_fails_is_told() {
    for (status, body, kind) in [
        (503, "", Transient),
        (400, r#"{"error":"unsupported_token_type"}"#, Refused),
        (401, r#"{"error":"invalid_client"}"#, Refused),
    ] {
        let server =
            Server::start(move |_| Answer::new(status, &[("retry-after", "3")], body)).await;
        let error = provider(&server).revoke("rt".into()).await.unwrap_err();
        let kind: RefreshErrorKind = kind;
        assert_eq!(error.kind(), kind);
        assert_eq!(error.pause(), Some(Duration::from_secs(3)));
    }
}

/// The client secret has expired, and all users of the app refresh.
#[tokio::test]
async fn a_thousand_users_of_a_refused_client_do_not_make_a_thousand_calls() {
    let body = json!({"error": "invalid_client"});
    let server = Server::start(move |_| Answer::json(401, &body)).await;
    let provider = provider(&server);
    for _ in 0..250 {
        let code = CodeExchange::new("code", "https://shop.example/callback");
        let behalf = provider.on_behalf_of("assertion", OnBehalfOfGrant::JwtBearer);
        let anew = || RefreshRequest::new(None, SENT_AT);
        for answered in [
            provider.refresh(request()).await,
            provider.clone().client_credentials().refresh(anew()).await,
            behalf.refresh(anew()).await,
            provider.exchange_code(code, SENT_AT).await,
        ] {
            assert_eq!(answered.unwrap_err().kind(), Refused);
        }
    }
    assert_eq!(server.received().len(), 1);
}
