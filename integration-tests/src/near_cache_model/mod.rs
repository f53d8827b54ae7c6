//! The model of near caches. It explores every order of the steps of connections, leases, populating reads and sign-outs, with clock
//! drift, lost connections, lost registries, failovers, and unlimited time.
//!
//! The real [`NearCacheLease`](token_cache_near_cache::NearCacheLease) and
//! [`AckWait`](token_cache_near_cache::AckWait) run in it. The store, the network and the clocks are the model's.
//! [`explore_near_cache`] tries all choices, shortest schedules first. It checks in every state:
//!
//! - Is there a server that serves ended tokens to a new caller after the sign-out has returned (G1)?
//! - Is there a server that serves an entry that it has itself replaced?
//! - Does a sign-out wait past its bound? Does it wait for an answer that never comes, although no fault occurred? Does it wait
//!   for a server that it has waited for in vain before?
//!
//! A paused server is one that the scheduler takes no step of while time passes. A pause is therefore no fault, and may be arbitrarily
//! long. The same holds for the delivery of a message. A tick is half a lease. The servers' clocks are a hundredth too fast or too slow,
//! and each shows a different time.
//!
//! Simplifications keep the number of states low. A read or a renewal is sent and arrives in one step: a later arrival would only make
//! the near-cache entry older and the lease shorter. A sign-out returns as soon as it may: returning later is safer. Steps that change
//! nothing are left out: acknowledgements that no sign-out waits for, messages to servers without a near cache, and the lease of a server
//! that serves nothing.
//!
//! **Split brain.** With two primaries, a sign-out ends a session at one of them. Reads at the other still return its tokens, with or
//! without near caches. Near caches add one effect: a server whose lease is from the other primary may serve the tokens for the rest of
//! that lease after that primary has gone, until it notices. The scenario checks that they add nothing else.
//!
//! **Assumptions** beyond the store's promises: a store server that is no longer a primary loses its subscribers (Sentinel kills their
//! connections, a cluster ends their subscriptions). Invalidation messages and renewal messages of one connection arrive in order. Two
//! renewals never have the same number. Populating reads use a new connection once its lease was notified of it. [`NearCacheMutant`]s drop
//! the first and the third.
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
    explore::explore_near_cache,
    mutants::NearCacheMutant,
    scenario::{Fault, Lacks, NearCacheScenario, ServerSetup, SignOutAct, Start},
};
