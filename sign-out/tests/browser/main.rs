//! Everything that a browser uses, through axum's router: the app's own sign-out, its return page, the front channel
//! and the session check.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod conformance;
mod cookie_header;
mod cross_site;
mod discovery;
mod front_channel;
#[path = "../messages/good_tokens.rs"]
mod good_tokens;
mod messages;
mod nested;
mod over_a_socket;
mod return_page;
mod revocation;
mod rp_initiated;
mod session_check;
mod settings;
mod several_clients;
mod shop;
mod sign_out_event;
#[path = "../messages/signer.rs"]
mod signer;
mod ticket_sources;
