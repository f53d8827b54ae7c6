//! Tests of the public API, on the memory store. The conformance suite is a test of its own, with a harness of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bad_input;
mod cancellation;
mod memory_limits;
mod namespace_watch;
mod no_secret_is_printed;
mod observability;
mod on_behalf_of;
mod refresh;
mod scopes_of_a_session;
mod sealed_values;
mod sealing;
mod sign_in_times;
