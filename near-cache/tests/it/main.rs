//! The near cache: the rules of leases, reads under a lease, and sign-outs that wait for it (G1).

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod lease_rules;
mod reads;
mod sign_out_waits;
