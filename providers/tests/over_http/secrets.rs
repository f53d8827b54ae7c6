use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use token_cache_core::{RefreshError, TokenSource};
use token_cache_providers::OnBehalfOfGrant;

use super::server::{Answer, Server};
use super::{SECRET, SPENT, builder, request};

/// Returns every printed form of an error and its sources.
fn printed(error: &RefreshError) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(inner) = source {
        write!(text, " {inner} {inner:?} {inner:#?}").unwrap();
        source = inner.source();
    }
    text
}

fn holds_no_canary(text: &str) {
    assert!(!text.contains("canary"), "{text}");
    assert!(!text.contains("Y2FuYXJ5"), "{text}");
}

#[tokio::test]
async fn no_failure_prints_a_token_a_secret_or_an_answer() {
    let bodies = [
        r#"{"error":"canary-code","error_description":"canary: canary-refresh-token"}"#,
        r#"{"error":"invalid_grant","error_description":"canary-refresh-token"}"#,
        r#"{"access_token":7,"refresh_token":"canary-refresh-token"}"#,
        r#"{"access_token":"canary-access-token","token_type":"Bearer""#,
        "canary",
    ];
    let mut seen = 0;
    for status in [200, 302, 400, 401, 404, 429, 500, 503] {
        for body in bodies {
            let headers = [
                ("location", "https://canary.example"),
                ("retry-after", "canary"),
            ];
            let server = Server::start(move |_| Answer::new(status, &headers, body)).await;
            let provider = builder(&server).build().unwrap();
            holds_no_canary(&printed(&provider.refresh(request()).await.unwrap_err()));
            if let Err(error) = provider.revoke(SPENT.into()).await {
                holds_no_canary(&printed(&error));
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 40);
}

#[tokio::test]
async fn no_broken_connection_prints_what_was_sent() {
    for answer in [|| Answer::BrokenOff, || Answer::Never] {
        let server = Server::start(move |_| answer()).await;
        // The path of an endpoint may be a secret.
        let provider = token_cache_providers::Provider::builder(server.url("/canary"), "canary-id")
            .client_secret(SECRET)
            .timeout(Duration::from_millis(100))
            .build()
            .unwrap();
        let error = provider.refresh(request()).await.unwrap_err();
        assert!(error.source().is_some());
        holds_no_canary(&printed(&error));
    }
}

#[tokio::test]
async fn no_debug_prints_a_secret() {
    let server = Server::start(|_| Answer::BrokenOff).await;
    let builder = builder(&server);
    holds_no_canary(&format!("{builder:?}"));
    let provider = builder.build().unwrap();
    let own = provider.client_credentials();
    let behalf = provider.on_behalf_of("canary-assertion", OnBehalfOfGrant::JwtBearer);
    for text in [
        format!("{provider:#?}"),
        format!("{own:#?}"),
        format!("{behalf:#?}"),
    ] {
        assert!(text.contains("127.0.0.1"), "{text}");
        holds_no_canary(&text);
    }
}
