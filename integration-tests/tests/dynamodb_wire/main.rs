//! The requests of the DynamoDB store: which actions, how many of them, how they read, and how the store handles errors that no engine
//! returns.

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
