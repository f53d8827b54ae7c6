//! Near caches under a lease: what a server may serve of what it has read, and what a sign-out waits for so that no server can.
//!
//! An app sets a [`NearCacheConfig`] on the [builder](crate::TokenCacheBuilder::near_cache), and is done: the rest is for those who put
//! the parts together themselves.
//!
//! The two halves of the protocol do no I/O: [`NearCacheLease`] is the side of who keeps copies, [`AckWait`] that of who signs out. The
//! clocks in both are a server's own, and only the rate at which they go matters.

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
