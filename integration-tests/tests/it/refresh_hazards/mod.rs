//! Hazards around a refresh: four app servers as processes of their own, fifty callers in each, a provider that treats a reused refresh
//! token as stolen, and a store of the test's own. Each hazard has one test, which runs on every kind of store.

mod common;

mod cancelled;
mod failover;
mod killed;
mod paused;
mod provider;
mod sign_out;
mod store_lost;
mod storm;
