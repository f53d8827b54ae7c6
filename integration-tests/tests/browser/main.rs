//! Sign-in and sign-out as users see them: a real browser, the certified OpenID provider, and the demo's app servers on a real
//! store.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod at_the_certified_provider;
mod common;
mod copies;
mod front_channel;
mod page;
