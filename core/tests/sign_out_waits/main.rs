//! A sign-out returns when no server can serve a local copy of what it ended: what it waits for, and for how long.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(feature = "test-util")]

mod ages;
mod fleet;
mod history;
mod keeper;
mod peer;
mod servers;
mod signer;
mod unknown_sid;
mod who_keeps_copies;
