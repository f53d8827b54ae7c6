use std::{sync::atomic::Ordering, time::Duration};

use super::{Key, Ring};

/// Counts of what this server decrypted, and could not decrypt, since it opened the cache. Returned by
/// [`TokenCache::encryption_stats`](crate::TokenCache::encryption_stats).
///
/// An operator reads it during a [rotation of keys](crate::TokenCache::replace_key_ring). Nothing is counted for the whole fleet: ask
/// each server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptionStats {
    /// The keys of the present ring. The first one encrypts, all decrypt.
    pub keys: Vec<KeyUse>,
    /// The number of reads of entries that were encrypted under a key that is missing in the ring.
    pub unknown_key: u64,
    /// The number of reads of entries that were changed, truncated, moved, or of another format.
    pub corrupt: u64,
}

/// The use of one key of the ring on this server, in [`EncryptionStats::keys`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyUse {
    /// The name of the key in the ring.
    pub name: String,
    /// `true` for the key that encrypts, `false` for the keys that only decrypt.
    pub seals: bool,
    /// How many times it decrypted an entry, a ticket, a started sign-in or a background session.
    pub opened: u64,
    /// The time since it last decrypted one. If it never did, the time since this server got the key.
    ///
    /// The key can be removed when every app server has encrypted with another key for longer than the longest lifetime of a session.
    /// The key must also have been idle on every app server for that long.
    pub idle: Duration,
}

impl Ring {
    pub(crate) fn figures(&self) -> EncryptionStats {
        let keys = self.keys();
        let key_use = |(place, key): (usize, &std::sync::Arc<Key>)| KeyUse {
            name: key.name().to_owned(),
            seals: place == 0,
            opened: key.opened(),
            idle: key.idle(),
        };
        EncryptionStats {
            keys: keys.all().enumerate().map(key_use).collect(),
            unknown_key: self.unknown_key.load(Ordering::Relaxed),
            corrupt: self.corrupt.load(Ordering::Relaxed),
        }
    }
}
