//! Providers over real HTTP: requests, responses, each kind of failure, and no secrets in errors.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod failures;
mod grants;
mod limits;
mod logged;
mod odd_responses;
mod proxies;
mod secrets;
mod server;
mod tls;

use token_cache_core::{RefreshRequest, Revocation, Timestamp, TokenSet};
use token_cache_providers::{Provider, ProviderBuilder};

use server::Server;

const SECRET: &str = "canary-client-secret/+:";
const SPENT: &str = "canary-refresh-token";
const SENT_AT: Timestamp = Timestamp::from_secs(1_700_000_000);

fn builder(server: &Server) -> ProviderBuilder {
    Provider::builder(server.url("/token"), "shop")
        .client_secret(SECRET)
        .revocation(server.url("/revoke"), Revocation::Token)
}

fn provider(server: &Server) -> Provider {
    builder(server).build().unwrap()
}

/// Returns a refresh request.
fn request() -> RefreshRequest {
    let tokens = TokenSet::new("canary-access-token")
        .unwrap()
        .with_refresh_token(SPENT);
    RefreshRequest::new(Some(tokens), SENT_AT)
}
