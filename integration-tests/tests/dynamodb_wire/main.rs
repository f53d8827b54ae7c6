//! What the DynamoDB store says on the wire: which actions, how many of them, how its reads are read, and what it makes of
//! refusals that no engine gives.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod actions;
mod errors;
mod requests;
mod setup;
