//! Near caches: reads from this process's memory while this app server has a lease. A sign-out is still final on every server (G1).
//!
//! An app sets a [`NearCacheConfig`] on the [builder](crate::TokenCacheBuilder::near_cache). The other items are for code that assembles
//! the parts itself, such as tests.
//!
//! Two state machines implement the protocol and do no I/O: [`NearCacheLease`] on the server with a near cache, and [`AckWait`] on the
//! server that signs out. Both use the clock of their own server, and only the rate of that clock matters.

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
mod optional_parts;
mod partition;
mod publisher;
mod reads;
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
};
