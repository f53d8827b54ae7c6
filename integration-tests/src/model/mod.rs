//! The model of the protocol: it explores every order of the protocol's steps, with lost, late and repeated requests, crashes, and
//! passing time.
//!
//! Core's real [`protocol`](token_cache_core::protocol) runs as futures that a scheduler polls by hand. The stores wait for the
//! scheduler before each atomic step on a server. [`explore`] tries all choices, shortest schedules first. In every state it checks
//! the promises against the facts (when each request and each authentication was made), independent of what the store records.
//!
//! The model makes two assumptions. Each has a mutant that drops it:
//!
//! - On Redis, a sign-in's first write is delivered at most once. (The driver's own retries are off for it.)
//! - On DynamoDB, a request whose signature is a quarter of an hour old is refused.
//!
//! Every other write may be delivered twice, at any later time. The part of a sign-in between its request and its callback is one
//! step. The server that runs it may pause before any step. The steps of a sign-out of an issuer are taken in the order of
//! [`BulkSignOut`](token_cache_core::BulkSignOut), but not by its code. The model leaves out refresh locks, the limit on sessions,
//! pruning, the namespace's record, and replicas.
//!
//! [`Mutant`]s are protocols and stores with one deliberate fault each. Every mutant is refuted by a schedule that can be printed:
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
mod world;

pub use self::{
    explore::explore,
    mutants::{Bent, Mutant},
    scenario::{Act, Actor, Scenario, SignInAct, StoreLike},
};
