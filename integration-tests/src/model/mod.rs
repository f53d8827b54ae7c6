//! The model: every order of the protocol's own steps, with requests lost, late and repeated, crashes, and time that passes.
//!
//! Core's real [`protocol`](token_cache_core::protocol) runs as futures that a scheduler polls by hand, over stores that
//! wait for the scheduler before each atomic step on a server. [`explore`] tries all choices, shortest schedules first, and
//! checks the promises in every state against what is true (who asked when, who authenticated when), whatever the store
//! thinks.
//!
//! What the model takes for granted, each with a mutant that goes without it: on Redis, a sign-in's first write is delivered
//! once at the most (the driver's own retries are off for it); on DynamoDB, a request whose signature is a quarter of an hour
//! old is refused. Every other write may be delivered twice, at any later moment. What a sign-in does between its request and
//! its callback is one step; the server that runs it may pause before any step. The steps of a sign-out of an issuer are
//! taken here in the order of [`BulkSignOut`](token_cache_core::BulkSignOut), not by its code. Left out: refresh locks, the
//! limit on sessions, pruning, the namespace's record, replicas.
//!
//! [`Mutant`]s are protocols and stores that are wrong in one place; each is refuted by a schedule that can be read:
//!
//! ```text
//! cargo run -p token-cache-integration-tests --bin model -- --mutant joined-sessions
//! ```

mod actors;
mod bent_protocol;
mod checker;
mod dynamodb_account_item;
mod dynamodb_like;
mod dynamodb_sid_index;
mod explore;
mod facts;
mod mutants;
mod network;
mod provider;
mod redis_like;
mod redis_sid_index;
mod rules;
mod run;
mod scenario;
pub mod scenarios;
mod script;
mod sign_outs;
mod state;
mod ticket_secrets;
mod world;

pub use self::{
    checker::Violation,
    explore::{Explored, Refutation, explore},
    mutants::{Bent, Mutant},
    scenario::{Act, Actor, Scenario, SignInAct, StoreLike},
};
