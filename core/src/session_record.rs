use std::time::Duration;

use crate::{EpochHash, Places, SidKey, Timestamp};

/// A session as its account's partition records it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionRecord {
    /// Its name, `H(epoch)`.
    pub epoch: EpochHash,
    /// The provider's session that it was begun under, where that is known.
    pub label: Option<SidKey>,
    /// Where it stands on each clock.
    pub places: Places,
    /// From this moment of the store's clock on, it is gone.
    pub ends_at: Timestamp,
}

impl SessionRecord {
    /// A record of these parts.
    pub const fn new(
        epoch: EpochHash,
        label: Option<SidKey>,
        places: Places,
        ends_at: Timestamp,
    ) -> Self {
        Self {
            epoch,
            label,
            places,
            ends_at,
        }
    }

    /// True where it has ended by itself at `now`.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at <= now
    }

    /// How long it still lives at `now`.
    pub const fn remaining(&self, now: Timestamp) -> Duration {
        self.ends_at.since(now)
    }
}
