#![doc = include_str!("../README.md")]
//!
//! # Features
#![doc = document_features::document_features!()]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod open;

pub mod admin;
pub mod background;
pub mod keys;
pub mod near_cache;
pub mod on_behalf_of;
pub mod refresh;
pub mod store;

#[doc(inline)]
pub use token_cache_core::{
    AccountId, Entry, EntryKey, Error, ErrorKind, ExposeSecret, LogoutMessage, MemoryStore,
    ProviderSid, PutMode, PutResult, Result, Secret, Session, SignIn, SignOut, SignOutScope,
    SignOutScopeKind, StartedSignIn, Ticket, Timestamp, TokenCache, TokenCacheBuilder, TokenSet,
    Version, Wait,
};
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

pub use self::open::{builder, open, open_store};

/// Compiles the code of the how-to on near caches.
#[cfg(all(doctest, feature = "near-cache"))]
#[doc = include_str!("../docs/near-cache.md")]
struct HowTo;
