//! The near cache: reads from this server's memory. A sign-out is not final before it has removed what was ended from every near
//! cache.
//!
//! Turn it on with [`TokenCacheBuilder::near_cache`](crate::TokenCacheBuilder::near_cache), or with `?near_cache=60s` in the store's URL.
//! A [`SignOut`](crate::SignOut) reports in [`NearCacheOutcome`] which servers it waited for.

#[doc(inline)]
pub use token_cache_core::{
    NearCacheOutcome, ServerId,
    near_cache::{NearCacheConfig, NearCacheSize, NearCacheStats},
};
