use std::time::Duration;

use crate::{SessionId, SessionKind, SessionTimes, SidKey, Timestamp};

/// A session as the partition of its account records it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionRecord {
    /// The session's id.
    pub session_id: SessionId,
    /// The hash of the `sid` of the provider's session, if it is known.
    pub sid: Option<SidKey>,
    /// How the session was begun.
    pub kind: SessionKind,
    /// The times of the authentication, one on each clock.
    pub times: SessionTimes,
    /// When the session ends by itself, on the store's clock.
    pub ends_at: Timestamp,
}

impl SessionRecord {
    /// Returns the record of a session that its user began.
    pub const fn new(
        session_id: SessionId,
        sid: Option<SidKey>,
        times: SessionTimes,
        ends_at: Timestamp,
    ) -> Self {
        Self {
            session_id,
            sid,
            kind: SessionKind::Direct,
            times,
            ends_at,
        }
    }

    /// Returns the same record with another kind.
    pub const fn of_kind(mut self, kind: SessionKind) -> Self {
        self.kind = kind;
        self
    }

    /// Returns `true` if the session has ended by itself at `now`, on the store's clock.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at <= now
    }

    /// Returns how long the session still lives at `now`. It is zero for a session that has ended by itself.
    pub const fn remaining(&self, now: Timestamp) -> Duration {
        self.ends_at.since(now)
    }
}
