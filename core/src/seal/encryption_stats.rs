use std::{sync::atomic::Ordering, time::Duration};

use super::{Key, Ring};

/// What this server opened since it opened the cache, and could not open: see
/// [`TokenCache::encryption_stats`](crate::TokenCache::encryption_stats).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptionStats {
    /// The keys of the ring; the first one seals.
    pub keys: Vec<KeyUse>,
    /// Entries that were sealed under a key that the ring lacks.
    pub unknown_key: u64,
    /// Entries that were changed, cut short, moved, or of another format.
    pub corrupt: u64,
}

/// What one key of the ring was of use for, on this server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyUse {
    /// What the ring calls it.
    pub name: String,
    /// True for the one key that seals.
    pub seals: bool,
    /// How many entries, tickets, started sign-ins and background sessions it opened.
    pub opened: u64,
    /// How long ago it opened the last one; how long this server has had it, if it never did.
    ///
    /// A key that is idle on every server for longer than the longest session lives can go.
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
