//! Near caches on real servers: app servers as processes of their own, links that are cut or fall silent, stores that are killed and
//! fail over, processes that stand still. Sign-outs all the while; every operation is recorded, and the whole history is checked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod existing_client;

mod aged;
mod mixed;
mod paused;
mod signers;
mod silent;
mod start;
mod stores;
