#![doc = include_str!("../README.md")]
//!
//! # Features
#![doc = document_features::document_features!()]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod ack_wait;
mod acknowledgements;
mod config;
mod connection_task;
mod coordinator;
mod counters;
mod lease;
mod leased_cache;
mod partition;
mod publisher;
mod seen_registry;
mod server;
mod server_listener;
mod storage;
mod telemetry;
mod url;

pub use self::{
    ack_wait::AckWait,
    config::NearCacheConfig,
    counters::InvalidationCounter,
    lease::{ConnectionNumber, NearCacheLease},
    server::NoNearCache,
};
