//! The model of near caches: every order of the steps of links, leases, fills and sign-outs, with clocks that part, links that
//! are lost, registries that are lost, primaries that change, and time that goes by without end.
//!
//! Core's real [`NearCacheLease`](token_cache_core::near_cache::NearCacheLease) and [`AckWait`](token_cache_core::near_cache::AckWait) run in it; the
//! store, the network and the clocks are the model's. [`explore_near_cache`] tries all choices, shortest schedules first, and asks in
//! every state:
//!
//! - is there a server where somebody who comes now, after the sign-out has returned, is served what it ended (G1)?
//! - is there one that serves what it has itself replaced?
//! - does a sign-out wait past its bound; or for an answer that never comes, though nothing went wrong; or for a server that was
//!   waited for in vain before?
//!
//! A server that is paused is one that the scheduler leaves alone while time goes by, so a pause is no fault, and may be as long
//! as it likes. So may the way of a message be. A tick is half a lease; servers' clocks are a hundredth too fast or too slow, and none
//! shows what another shows.
//!
//! To keep the states few: a read or a renewal is sent and lands in one step (that it lands later only makes the copy older and the
//! lease shorter), a sign-out returns as soon as it may (later is safer), and what changes nothing is left out: acknowledgements that
//! nobody waits for, what servers without copies hear, the lease of a server that serves nothing.
//!
//! **What split brain may do.** With two primaries at once a sign-out ends a session at one of them, and whoever asks the other is
//! still given its tokens, with near caches or without. Copies add that a server whose lease is the other one's may serve them for
//! what is left of the lease after that one has gone, until it notices. The scenario checks that they add nothing else.
//!
//! **What is taken for granted**, beside what the store promises: a store server that is no primary any more loses those who
//! listen to it (Sentinel kills their connections, a cluster ends their subscriptions); invalidation messages and markers of one connection come
//! in order; two renewals never have the same number; reads that fill go over a new link once its holder was told of it.
//! [`LocalMutant`]s go without the first and the third.
//!
//! ```text
//! cargo run -p token-cache-integration-tests --bin model -- --mutant vouches-for-the-connection-before
//! ```

mod checks;
mod choices;
mod clock;
mod digest;
mod explore;
mod fault_steps;
mod lease_steps;
mod mutants;
mod near_cache_steps;
mod scenario;
pub mod scenarios;
mod server;
mod sign_out_steps;
mod store;
mod world;

pub use self::{
    checks::LocalViolation,
    explore::{LocalExplored, LocalRefutation, explore_near_cache},
    mutants::LocalMutant,
    scenario::{Fault, InvalidationCoordinator, Lacks, LocalScenario, SignOutAct, Start},
};
