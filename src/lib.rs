#![doc = include_str!("../README.md")]
//!
//! # Features
#![doc = document_features::document_features!()]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod open;

#[doc(inline)]
pub use token_cache_core::*;
#[cfg(feature = "dynamodb")]
#[doc(inline)]
pub use token_cache_dynamodb as dynamodb;
#[cfg(feature = "providers")]
#[doc(inline)]
pub use token_cache_providers as providers;
#[cfg(feature = "redis")]
#[doc(inline)]
pub use token_cache_redis as redis;
#[cfg(feature = "sign-out")]
#[doc(inline)]
pub use token_cache_sign_out as sign_out;

pub use self::open::{builder, open, store};

/// The how-to's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../docs/local-copies.md")]
struct HowTo;
