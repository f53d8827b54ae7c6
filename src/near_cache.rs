//! The near cache: reads from the memory of this app server. By default, a sign-out returns when no server can serve an ended session
//! from its near cache, so it stays final on every server.
//!
//! Turn it on with [`TokenCacheBuilder::near_cache`](crate::TokenCacheBuilder::near_cache), or with `?near_cache=60s` in the store's URL.
//! A [`SignOut`](crate::SignOut) reports in [`NearCacheOutcome`] which servers it waited for.

#[doc(inline)]
pub use token_cache_core::{
    NearCacheOutcome, ServerId,
    near_cache::{NearCacheConfig, NearCacheSize, NearCacheStats},
};
