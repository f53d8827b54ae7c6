use std::time::Duration;

use crate::{Places, SessionId, SessionKind, SidKey, Timestamp};

/// A session as its account's partition records it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionRecord {
    /// Its id.
    pub session_id: SessionId,
    /// The provider's session that it was begun under, where that is known.
    pub label: Option<SidKey>,
    /// How it came to be.
    pub kind: SessionKind,
    /// Where it stands on each clock.
    pub places: Places,
    /// From this moment of the store's clock on, it is gone.
    pub ends_at: Timestamp,
}

impl SessionRecord {
    /// A record of these parts, of a session that its owner began.
    pub const fn new(
        session_id: SessionId,
        label: Option<SidKey>,
        places: Places,
        ends_at: Timestamp,
    ) -> Self {
        Self {
            session_id,
            label,
            kind: SessionKind::Direct,
            places,
            ends_at,
        }
    }

    /// The same of another kind.
    pub const fn of_kind(mut self, kind: SessionKind) -> Self {
        self.kind = kind;
        self
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
