//! Tests beyond the conformance suite, which has a harness of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../engine/mod.rs"]
mod engine;
mod on_an_engine;
mod sweeper;
