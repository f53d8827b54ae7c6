use std::time::Duration;

use crate::{SessionId, SessionTimes, SidKey, Timestamp};

/// The record of a session, which a store keeps with the other data of the session's account. It contains no token and no ticket secret.
///
/// A sign-in passes it to [`TokenStore::begin`](crate::TokenStore::begin). [`TokenStore::session`](crate::TokenStore::session) returns it
/// as long as the session lives, and then the error [`SignedOut`](crate::ErrorKind::SignedOut). Apps do not need it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionRecord {
    /// The id of the session: the hash of its ticket secret.
    pub session_id: SessionId,
    /// The keyed hash of the provider's `sid` that the session's sign-in had. `None` if the sign-in had no `sid`, or the store has no
    /// [`SidIndex`](crate::SidIndex).
    pub sid: Option<SidKey>,
    /// The way in which the session was begun: by a sign-in of the user or the application, or by a web API on behalf of a user.
    pub kind: SessionKind,
    /// The times of the authentication that began this session: one on the store's clock, and one on the provider's. A sign-out compares
    /// its [cutoff time](crate::CutoffTime) with the time on the same clock.
    pub times: SessionTimes,
    /// The end of the session's lifetime, on the store's clock. A sign-out can end the session earlier.
    pub ends_at: Timestamp,
}

impl SessionRecord {
    /// Creates the record of a session of the kind [`SessionKind::Direct`]. For another kind, also call [`of_kind`](Self::of_kind). A
    /// sign-in calls it, and a store calls it when it reads a session from its own data.
    ///
    /// The parameters are the fields of the same names. `sid` is `None` for a session without a `sid`.
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

    /// Sets how the session was begun. By default, it is [`SessionKind::Direct`]: by a sign-in of the user or the application. A sign-in
    /// and a store call it after [`new`](Self::new).
    pub const fn of_kind(mut self, kind: SessionKind) -> Self {
        self.kind = kind;
        self
    }

    /// Returns `true` if the session's lifetime has ended: `now`, a time on the store's clock, is equal to [`ends_at`](Self::ends_at) or
    /// later. Returns `false` before that.
    ///
    /// The method does not notice a sign-out. A sign-out removes the record from the store: a session without a record there has ended.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at <= now
    }

    /// Returns how much of the session's lifetime is left at `now`, a time on the store's clock. Returns zero if the lifetime has ended.
    pub const fn remaining(&self, now: Timestamp) -> Duration {
        self.ends_at.since(now)
    }
}

/// The way in which a session was begun: by a sign-in of the user or the application, or by a web API on behalf of a user.
///
/// [`max_sessions`](crate::TokenCacheBuilder::max_sessions) limits the sessions of an account for each kind separately. The sessions of web
/// APIs therefore do not displace those of browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store must record and count all of them"
)]
pub enum SessionKind {
    /// A user signed in ([`TokenCache::sign_in`](crate::TokenCache::sign_in)), or the app began the session for itself, without a user
    /// ([`TokenCache::application`](crate::TokenCache::application)).
    #[default]
    Direct,
    /// A web API began the session for a user whose access token it received: see
    /// [`TokenCache::on_behalf_of`](crate::TokenCache::on_behalf_of).
    OnBehalfOf,
}
