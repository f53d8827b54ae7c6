//! The adapter for actix-web. The tests check that it passes on the requests and responses; the browser tests check
//! their content.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../messages/good_tokens.rs"]
mod good_tokens;
mod over_a_socket;
mod routes;
mod session_check;
mod shop;
#[path = "../messages/signer.rs"]
mod signer;
mod ticket_sources;
