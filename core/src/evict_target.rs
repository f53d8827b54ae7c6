use crate::{SessionId, SidKey, Timestamp, auth_time::MOST_PROVIDER_AHEAD};

/// The clock of a [`CutoffTime`]: the store's or the provider's.
///
/// A session has a time on each of them ([`SessionTimes`]). A time on one clock is never compared with a time on the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a third clock would be another protocol"
)]
pub enum CutoffClock {
    /// The store's clock, as every app server estimates it. Sign-outs by the app use it.
    Store,
    /// The provider's clock. Sign-outs by the provider's messages use it.
    Provider,
}

/// A time up to which an eviction ends sessions, on one of the two clocks.
///
/// A session ends if its time on the same clock is equal or earlier ([`SessionTimes::is_not_after`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a cutoff is a clock and a time on it"
)]
pub struct CutoffTime {
    /// The clock.
    pub clock: CutoffClock,
    /// The time on that clock.
    pub at: Timestamp,
}

impl CutoffTime {
    /// Creates a cutoff on the store's clock, for a sign-out by the app.
    pub const fn on_store_clock(at: Timestamp) -> Self {
        Self {
            clock: CutoffClock::Store,
            at,
        }
    }

    /// Creates a cutoff on the provider's clock, for a sign-out by the provider's message. `at` is the message's `iat`.
    pub const fn on_provider_clock(at: Timestamp) -> Self {
        Self {
            clock: CutoffClock::Provider,
            at,
        }
    }
}

/// The times of a session's authentication, one on each clock. A cutoff is compared with the time on its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "one time for each clock, and there are two clocks"
)]
pub struct SessionTimes {
    /// When the authorization request was sent, on the store's clock. For a session on behalf of a user, it is five seconds before the
    /// assertion's `iat`.
    pub requested_at: Timestamp,
    /// The claim `auth_time` (OpenID Connect Core section 2), on the provider's clock. Without a plausible claim, it is five seconds before
    /// `requested_at`. For a session on behalf of a user, it is the same time as `requested_at`.
    pub auth_time: Timestamp,
}

impl SessionTimes {
    /// Returns the time on `clock`: `requested_at` on the store's clock, `auth_time` on the provider's.
    pub const fn on(&self, clock: CutoffClock) -> Timestamp {
        match clock {
            CutoffClock::Store => self.requested_at,
            CutoffClock::Provider => self.auth_time,
        }
    }

    /// Returns the same times, with each one that cannot be right replaced by the earliest time, [`Timestamp::default`]. `now` is the time
    /// on the store's clock.
    ///
    /// A time is not credible if it is more than five minutes ahead of `now`. No sign-in stores such a time. A session with one would be
    /// spared by every sign-out until then. Therefore a store compares the credible times with a cutoff.
    pub fn credible_at(&self, now: Timestamp) -> Self {
        let credible = |time: Timestamp| {
            if time > now + MOST_PROVIDER_AHEAD {
                Timestamp::default()
            } else {
                time
            }
        };
        Self {
            requested_at: credible(self.requested_at),
            auth_time: credible(self.auth_time),
        }
    }

    /// Returns `true` if a cutoff ends the session: its time on the cutoff's clock is equal to the cutoff or earlier.
    pub fn is_not_after(&self, cutoff: CutoffTime) -> bool {
        self.on(cutoff.clock) <= cutoff.at
    }
}

/// The sessions that an eviction by `sid` ends: those up to a cutoff time, or all.
///
/// It is a part of [`EvictTarget::Sid`], and [`SidIndex::set_sid_not_before`](crate::SidIndex::set_sid_not_before) takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store must tell all of them apart"
)]
pub enum CutoffBound {
    /// The sessions whose time on the clock of the cutoff is equal or earlier.
    Time(CutoffTime),
    /// All sessions, and all that are begun later. A provider that has ended its session never uses that `sid` again.
    Forever,
}

impl CutoffBound {
    /// Returns `true` if the bound ends a session with these times. The caller has checked that the session has the `sid`.
    pub fn ends(&self, times: &SessionTimes) -> bool {
        match self {
            Self::Time(cutoff) => times.is_not_after(*cutoff),
            Self::Forever => true,
        }
    }
}

/// The sessions of one account that [`TokenStore::evict`](crate::TokenStore::evict) ends.
///
/// An eviction ends the sessions of its target up to the cutoff. With most targets, the cutoff is also stored as a *not-before time*: a
/// sign-in that began earlier and arrives later is refused (G2). Not-before times only rise. Therefore an eviction that is repeated,
/// delayed or sent twice ends nothing new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store that ignores one of them cannot keep G1"
)]
pub enum EvictTarget {
    /// One session, by its id. It needs no not-before time, because a session id is never used again.
    Session(SessionId),
    /// Every session of the account up to a cutoff. Sets the account's not-before time on the cutoff's clock.
    Account(CutoffTime),
    /// The sessions with this `sid`. The [`SidIndex`](crate::SidIndex) holds its not-before time.
    Sid {
        /// The hash of the provider's `sid`.
        sid: SidKey,
        /// The bound of the eviction.
        bound: CutoffBound,
    },
    /// All sessions with this `sid`, and the sessions without any `sid` up to a time on the provider's clock. Sets the not-before
    /// time of the account's sessions without a `sid`.
    SidOrWithoutSid {
        /// The hash of the provider's `sid`.
        sid: SidKey,
        /// The claim `iat` of the provider's message.
        without_sid_until: Timestamp,
    },
}

impl EvictTarget {
    /// Returns `true` if the eviction ends the session `session_id` with these times. `sid` is `None` if the session has none.
    ///
    /// A store passes the times of [`SessionTimes::credible_at`].
    pub fn ends(&self, session_id: &SessionId, sid: Option<&SidKey>, times: &SessionTimes) -> bool {
        match self {
            Self::Session(ended) => ended == session_id,
            Self::Account(cutoff) => times.is_not_after(*cutoff),
            Self::Sid { sid: ended, bound } => sid == Some(ended) && bound.ends(times),
            Self::SidOrWithoutSid {
                sid: ended,
                without_sid_until,
            } => match sid {
                Some(sid) => sid == ended,
                None => times.is_not_after(CutoffTime::on_provider_clock(*without_sid_until)),
            },
        }
    }
}
