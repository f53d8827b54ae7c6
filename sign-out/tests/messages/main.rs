//! A provider's messages, without a socket: real keys, real signatures, the memory store.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod accepted_algorithms;
mod back_channel;
mod bad_tokens;
mod conformance_suite;
mod keys;
mod keys_server;
mod late_keys;
mod legal_keys;
mod log;
mod logged_requests;
mod mapping;
mod matches;
mod mutated;
mod near_cache;
mod odd_tokens;
mod one_task;
mod recorded;
mod refusals;
mod rig;
mod shared_signals;
mod signer;
