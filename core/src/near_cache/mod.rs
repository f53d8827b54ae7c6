//! The near cache: an app server answers reads from its own memory while it has a lease. A sign-out is still final on every server (G1).
//!
//! An app passes a [`NearCacheConfig`] to [`TokenCacheBuilder::near_cache`](crate::TokenCacheBuilder::near_cache), and needs no other item
//! of this module except [`NearCacheStats`]. The other items are for code that assembles the parts of a near cache itself, such as the
//! tests and benchmarks of the project.
//!
//! Two state machines implement the protocol between app servers, and do no I/O: [`NearCacheLease`] on a server with a near cache, and
//! [`AckWait`] on the server that signs out. Each measures durations with the clock of its own server ([`BootTime`]). The times of two
//! servers are never compared.

mod ack_wait;
mod acknowledgements;
mod boot_time;
mod config;
mod connection_task;
mod coordinator;
mod counters;
mod fleet_config;
mod lease;
mod leased_cache;
mod partition;
mod publisher;
mod seen_registry;
mod server_listener;
mod stats;
mod storage;
mod store;
mod url;

pub use self::{
    ack_wait::AckWait,
    boot_time::{BootInstant, BootTime, SystemBootTime},
    config::NearCacheConfig,
    counters::InvalidationCounter,
    lease::{ConnectionNumber, NearCacheLease},
    stats::NearCacheStats,
    storage::NearCacheSize,
    store::NearCache,
};
pub(crate) use self::{
    coordinator::{InvalidationCoordinator, NearCacheParts},
    fleet_config::{FleetConfig, STALE_AFTER},
    partition::Validity,
};
