//! Tests with real servers, several processes and faults, and the models. `cargo xtask test` runs each module in a process of its own.
//!
//! Two tests are binaries of their own. `redis_conformance` has its own harness. `leaks` sets the logger, the recorder of metrics and the
//! panic hook of its process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod at_rest;
mod backplane;
mod browser;
mod dynamodb_wire;
mod hazards;
mod model;
mod near_cache;
mod oidc_provider;
mod on_behalf_of;
mod openid_providers;
mod refresh_hazards;
mod refreshes;
mod servers;
mod token_responses;
