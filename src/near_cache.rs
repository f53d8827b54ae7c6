//! The near cache: an app server answers reads from its own memory. It is off by default.
//!
//! It needs the feature `near-cache`. Turn it on with [`TokenCacheBuilder::near_cache`](crate::TokenCacheBuilder::near_cache), or with `?near_cache=60s` in the store's URL.
//!
//! A sign-out stays final on every server (G1): by default, it returns only when no server can serve an ended session from its near cache.
//! [`SignOut::near_caches`](crate::SignOut::near_caches) reports as a [`NearCacheOutcome`] which servers it waited for.

#[doc(inline)]
pub use token_cache_core::{
    NearCacheOutcome, ServerId,
    near_cache::{NearCacheSize, NearCacheStats},
};
#[cfg(feature = "near-cache")]
#[doc(inline)]
pub use token_cache_near_cache::{NearCacheConfig, NoNearCache};
