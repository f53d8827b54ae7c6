//! The keys that encrypt entries, tickets, started sign-ins and background sessions.
//!
//! By default, the only key is derived from the [`Secret`](crate::Secret), and an app needs no item of this module. A [`KeyRing`] contains
//! several keys. With it, an operator can replace a key without signing users out: see
//! [`TokenCache::replace_key_ring`](crate::TokenCache::replace_key_ring).

#[doc(inline)]
pub use token_cache_core::{
    EncryptionStats, KeyProvider, KeyRing, KeyUse, RingKey, SecretSlice, SecretString,
    UnreadableEntries,
};
