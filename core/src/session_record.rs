use std::time::Duration;

use crate::{SessionId, SessionKind, SessionTimes, SidKey, Timestamp};

/// A session as a store records it, in the partition of its account.
///
/// It has no tokens and no ticket secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionRecord {
    /// The session's id.
    pub session_id: SessionId,
    /// The keyed hash of the `sid` of the provider's session. `None` if the sign-in had no `sid`, or the store has no sid index.
    pub sid: Option<SidKey>,
    /// How the session was begun.
    pub kind: SessionKind,
    /// The times of the authentication, one on each clock.
    pub times: SessionTimes,
    /// When the session ends if the user does not sign out before, on the store's clock.
    pub ends_at: Timestamp,
}

impl SessionRecord {
    /// Creates the record of a session of the kind [`SessionKind::Direct`]. `sid` is `None` for a session without one.
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

    /// Sets how the session was begun.
    pub const fn of_kind(mut self, kind: SessionKind) -> Self {
        self.kind = kind;
        self
    }

    /// Returns `true` if the lifetime of the session has ended at `now`, on the store's clock. It knows nothing of sign-outs.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at <= now
    }

    /// Returns the rest of the session's lifetime at `now`, or zero if it has ended.
    pub const fn remaining(&self, now: Timestamp) -> Duration {
        self.ends_at.since(now)
    }
}
