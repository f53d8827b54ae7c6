#![doc = include_str!("../README.md")]
//!
//! # Features
#![doc = document_features::document_features!()]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod duration;
mod store;
mod url;

pub use self::{
    config::{Address, Durability, RedisConfig, Sentinel, Tls, Topology},
    store::RedisStore,
    url::SCHEMES,
};
