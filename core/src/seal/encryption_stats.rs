use std::{sync::atomic::Ordering, time::Duration};

use super::{Key, Ring};

/// Counts of what this server opened, and could not open, since the cache was opened. See
/// [`TokenCache::encryption_stats`](crate::TokenCache::encryption_stats).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptionStats {
    /// The keys of the ring. The first one seals.
    pub keys: Vec<KeyUse>,
    /// The number of entries that were sealed under a key that is missing in the ring.
    pub unknown_key: u64,
    /// The number of entries that were changed, truncated, moved, or of another format.
    pub corrupt: u64,
}

/// The use of one key of the ring on this server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyUse {
    /// The name of the key in the ring.
    pub name: String,
    /// `true` for the key that seals.
    pub seals: bool,
    /// The number of entries, tickets, started sign-ins and background sessions that it opened.
    pub opened: u64,
    /// The time since it last opened one. If it never did, the time since this server got the key.
    ///
    /// A key that is idle on every server for longer than the longest session lives can be removed.
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
