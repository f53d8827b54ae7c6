use std::{sync::atomic::Ordering, time::Duration};

use super::{Key, Ring};

/// Counts of what this app server has decrypted, and of what it could not decrypt, since it opened the cache.
/// [`TokenCache::encryption_stats`](crate::TokenCache::encryption_stats) returns it.
///
/// An operator reads it during a [rotation of keys](crate::TokenCache::replace_key_ring), to find out when an old key can be removed. Each
/// app server counts only its own use of the keys: read the counts on each one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptionStats {
    /// The keys of the present [key ring](super::KeyRing), and how often each was used. The first key encrypts, and all keys decrypt.
    pub keys: Vec<KeyUse>,
    /// The number of reads of entries that failed because the entry was encrypted under a key that is not in the key ring of this app
    /// server.
    pub unknown_key: u64,
    /// The number of reads of entries that failed because the stored bytes were changed, truncated, moved from another entry, or have
    /// another format.
    pub corrupt: u64,
}

/// The use of one key of the key ring on this app server, in [`EncryptionStats::keys`]: how often it has decrypted, and when last. It shows
/// an operator whether the key can be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyUse {
    /// The name of the key in the key ring, such as `2026-11`.
    pub name: String,
    /// `true` for the key that encrypts, `false` for a key that only decrypts.
    pub seals: bool,
    /// The number of times that the key decrypted something on this app server: an entry, a ticket, a started sign-in or a background
    /// session.
    pub opened: u64,
    /// The time since the key last decrypted something. If it never did, the time since this app server got the key.
    ///
    /// An old key can be removed if two conditions hold on every app server. Another key has encrypted for longer than the longest
    /// [lifetime of a session](crate::SignIn::lifetime). The old key has been idle for that long. If it is removed earlier, entries and
    /// tickets that are encrypted under it cause [`KeyMissing`](crate::ErrorKind::KeyMissing).
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

    /// Returns the names of the keys, and how long each has decrypted nothing.
    pub(crate) fn idle_keys(&self) -> Vec<(String, Duration)> {
        let keys = self.keys();
        keys.all()
            .map(|key| (key.name().to_owned(), key.idle()))
            .collect()
    }
}
