#![doc = include_str!("../README.md")]
//!
//! # Features
#![doc = document_features::document_features!()]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod open;

pub use token_cache_core::*;
#[cfg(feature = "redis")]
pub use token_cache_redis as redis;

pub use self::open::{OpenOptions, open, open_with};
