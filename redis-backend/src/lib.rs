#![doc = include_str!("../README.md")]
#![doc = include_str!("docs.md")]
//!
//! # Features
#![doc = document_features::document_features!()]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod background_sessions;
mod backplane;
mod bulk;
mod client;
mod config;
mod cursor;
mod duration;
mod error;
mod evict;
#[cfg(feature = "redis-1")]
mod existing_client;
mod keys;
mod locks;
mod preflight;
mod record;
mod replies;
mod scripts;
mod sid_index;
mod store;
#[cfg(feature = "test-util")]
pub mod test_util;
mod topology;
mod url;

pub use self::{
    config::{Durability, RedisConfig, Tls},
    store::RedisStore,
    topology::{Address, Sentinel, Topology},
    url::SCHEMES,
};

/// The name of this store in errors.
const STORE: &str = "redis";
