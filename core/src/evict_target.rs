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
/// A session ends if its time on the same clock is equal to `at` or earlier ([`SessionTimes::is_not_after`]).
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

    /// Returns the same times, but replaces each time that is not credible by the earliest time, [`Timestamp::default`]. `now` is the time
    /// on the store's clock.
    ///
    /// A time is not credible if it is more than five minutes ahead of `now`. No sign-in stores such a time. A session with such a time
    /// would be spared by every sign-out until then. Therefore a store compares the credible times with a cutoff.
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
    /// The sessions whose time on the cutoff's clock is equal to the cutoff or earlier.
    Time(CutoffTime),
    /// All sessions with the `sid`, and all that are begun with it later. A provider never uses the `sid` of an ended session again.
    Forever,
}

impl CutoffBound {
    /// Returns `true` if the bound ends a session with these times.
    ///
    /// - [`Time`](Self::Time) ends it if its time on the cutoff's clock is equal to the cutoff or earlier.
    /// - [`Forever`](Self::Forever) ends it whatever its times are.
    ///
    /// The method does not know the session's `sid`. Call it only for a session with the `sid` of the eviction.
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
    /// The sessions with this `sid` that the bound ends. Sets no not-before time in the account: that of the `sid` is in the
    /// [`SidIndex`](crate::SidIndex).
    Sid {
        /// The hash of the provider's `sid`.
        sid: SidKey,
        /// The bound of the eviction.
        bound: CutoffBound,
    },
    /// All sessions with this `sid`, whatever their times, and the sessions without a `sid` up to `without_sid_until`. Sessions with
    /// another `sid` continue.
    ///
    /// Sets a not-before time for the account's sessions without a `sid`, on the provider's clock. The store then refuses a sign-in without
    /// a `sid` whose [`auth_time`](SessionTimes::auth_time) is `without_sid_until` or earlier (G2). A sign-in with a `sid` is not refused
    /// by this not-before time.
    SidOrWithoutSid {
        /// The hash of the provider's `sid`.
        sid: SidKey,
        /// The claim `iat` of the provider's message. It bounds only the sessions without a `sid`.
        without_sid_until: Timestamp,
    },
}

impl EvictTarget {
    /// Returns `true` if the target selects the session with this `session_id`, `sid` and `times`. `sid` is `None` if the session has none.
    ///
    /// - [`Session`](Self::Session) selects it by `session_id` alone.
    /// - [`Account`](Self::Account) selects it if its time on the cutoff's clock is equal to the cutoff or earlier.
    /// - [`Sid`](Self::Sid) selects it if it has this `sid` and [`CutoffBound::ends`] returns `true`.
    /// - [`SidOrWithoutSid`](Self::SidOrWithoutSid) selects it if it has this `sid`. It also selects a session without a `sid` whose
    ///   `auth_time` is `without_sid_until` or earlier.
    ///
    /// The session must belong to the account of the eviction. `times` must come from [`SessionTimes::credible_at`]: a time in the far
    /// future would spare the session.
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
