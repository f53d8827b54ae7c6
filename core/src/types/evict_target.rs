use crate::{SessionId, SidKey, Timestamp, types::auth_time::MOST_PROVIDER_AHEAD};

/// The clock on which a [`CutoffTime`] is: the store's or the provider's.
///
/// A session has one time on each of the two clocks ([`SessionTimes`]). A time on one clock is never compared with a time on the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a third clock would be another protocol"
)]
pub enum CutoffClock {
    /// The store's clock, as every app server estimates it. The cutoff time of a sign-out by the app is on this clock.
    Store,
    /// The provider's clock. The cutoff time of a sign-out by the provider's message is on this clock: it is the message's `iat`.
    Provider,
}

/// The time up to which an eviction ends sessions, on one of two clocks. An eviction is the call by which a sign-out ends sessions in a
/// store ([`TokenStore::evict`](crate::TokenStore::evict)).
///
/// A session ends if its time on the same clock is equal to the cutoff time or earlier ([`SessionTimes::is_not_after`]). Later sessions
/// continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a cutoff is a clock and a time on it"
)]
pub struct CutoffTime {
    /// The clock on which `at` is.
    pub clock: CutoffClock,
    /// The cutoff time, on `clock`. A session with exactly this time ends too.
    pub at: Timestamp,
}

impl CutoffTime {
    /// Creates a cutoff time on the store's clock, for a sign-out by the app. `at` is the time of the sign-out.
    pub const fn on_store_clock(at: Timestamp) -> Self {
        Self {
            clock: CutoffClock::Store,
            at,
        }
    }

    /// Creates a cutoff time on the provider's clock, for a sign-out by the provider's message. `at` is the message's claim `iat`.
    pub const fn on_provider_clock(at: Timestamp) -> Self {
        Self {
            clock: CutoffClock::Provider,
            at,
        }
    }
}

/// The times of the authentication that began a session: one on the store's clock, and one on the provider's.
///
/// A sign-out compares its [`CutoffTime`] with the session's time on the same clock. A sign-in creates them, and apps do not need them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "one time for each clock, and there are two clocks"
)]
pub struct SessionTimes {
    /// The time at which the authorization request of the session's sign-in was sent, on the store's clock.
    ///
    /// A session on behalf of a user has no authorization request. Its time is five seconds before the `iat` of the access token that the
    /// web API received.
    pub requested_at: Timestamp,
    /// The time at which the user authenticated, on the provider's clock: the claim `auth_time` (OpenID Connect Core 1.0 section 2).
    ///
    /// It is five seconds before `requested_at` if the ID token has no `auth_time`, or one that cannot be right. A time cannot be right if
    /// it is before the year 2000, or more than five minutes ahead of the store's clock. For a session on behalf of a user, it is equal to
    /// `requested_at`.
    pub auth_time: Timestamp,
}

impl SessionTimes {
    /// Returns the session's time on `clock`: `requested_at` for the store's clock, `auth_time` for the provider's.
    pub const fn on(&self, clock: CutoffClock) -> Timestamp {
        match clock {
            CutoffClock::Store => self.requested_at,
            CutoffClock::Provider => self.auth_time,
        }
    }

    /// Returns the same times, but replaces a time that is not credible by [`Timestamp::default`], the earliest time. `now` is the time on
    /// the store's clock.
    ///
    /// A time is not credible if it is more than five minutes later than `now`. No sign-in stores such a time. A store calls this method
    /// before it compares a session's times with a cutoff time. Otherwise a session with a time in the far future would survive every
    /// sign-out until then.
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

    /// Returns `true` if `cutoff` ends a session with these times: the session's time on the clock of `cutoff` is equal to the cutoff time
    /// or earlier. Returns `false` if that time is later.
    pub fn is_not_after(&self, cutoff: CutoffTime) -> bool {
        self.on(cutoff.clock) <= cutoff.at
    }
}

/// The sessions with a provider's `sid` that an eviction ends: those up to a cutoff time, or all of them.
///
/// It is a part of [`EvictTarget::Sid`]. [`SidIndex::set_sid_not_before`](crate::SidIndex::set_sid_not_before) takes it too. The store then
/// refuses sign-ins with the `sid` that are not later than the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store must tell all of them apart"
)]
pub enum CutoffBound {
    /// The sessions with the `sid` whose time is equal to the cutoff time or earlier, on the same clock ([`SessionTimes`]). It is for a
    /// sign-out by the app.
    Time(CutoffTime),
    /// All sessions with the `sid`. Sign-ins that arrive with it later are refused ([`SidIndex::add`](crate::SidIndex::add)).
    ///
    /// It is for a message of the provider, which must never use the `sid` of an ended session again. If a provider does, its users cannot
    /// sign in with that `sid`.
    Forever,
}

impl CutoffBound {
    /// Returns `true` if a sign-out by `sid` ends a session with these `times`, and `false` if the session continues. A store calls it for
    /// the sessions that have the `sid` of the [`EvictTarget::Sid`], and for no others.
    ///
    /// - [`Time`](Self::Time) ends the session if [`SessionTimes::is_not_after`] the cutoff time: the authentication was at that time or
    ///   earlier.
    /// - [`Forever`](Self::Forever) ends the session whatever its times are.
    pub fn ends(&self, times: &SessionTimes) -> bool {
        match self {
            Self::Time(cutoff) => times.is_not_after(*cutoff),
            Self::Forever => true,
        }
    }
}

/// The sessions of one account that [`TokenStore::evict`](crate::TokenStore::evict) ends. A sign-out of a [`TokenCache`](crate::TokenCache)
/// creates it. Apps do not need it.
///
/// Some targets also set a *not-before time* in the account. With it, the store refuses a sign-in that began before the sign-out and
/// arrives later (G2). A later not-before time is never replaced by an earlier one. An eviction that arrives late or twice ends no session
/// whose user authenticated after its cutoff time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store that ignores one of them cannot keep G1"
)]
pub enum EvictTarget {
    /// One session, by its id. Sets no not-before time, because a session id is never used again.
    Session(SessionId),
    /// Every session of the account, which [`TokenStore::evict`](crate::TokenStore::evict) takes beside the target, up to a cutoff time. A
    /// session ends if [`SessionTimes::is_not_after`] the cutoff time. Later sessions continue.
    ///
    /// Sets the account's not-before time on that clock to the cutoff time. The store then refuses a sign-in whose time on that clock is
    /// equal or earlier (G2).
    Account(CutoffTime),
    /// The sessions of the account that have this `sid` and that `bound` ends.
    ///
    /// Sets no not-before time in the account. The not-before time of the `sid` is in the [`SidIndex`](crate::SidIndex), where the sign-out
    /// sets it before it ends sessions.
    Sid {
        /// The keyed hash of the provider's `sid`.
        sid: SidKey,
        /// The sessions with the `sid` that end: those up to a cutoff time, or all of them.
        bound: CutoffBound,
    },
    /// All sessions of the account with this `sid`, whatever their times, and the sessions without a `sid` up to `without_sid_until`.
    /// Sessions with another `sid` continue. It is for a message of the provider that names the `sub` and the `sid`.
    ///
    /// Sets a not-before time for the account's sessions without a `sid`, on the provider's clock. The store then refuses a sign-in without
    /// a `sid` whose [`auth_time`](SessionTimes::auth_time) is `without_sid_until` or earlier (G2). A sign-in with a `sid` is not refused
    /// by this not-before time.
    SidOrWithoutSid {
        /// The keyed hash of the provider's `sid`.
        sid: SidKey,
        /// The cutoff time of the sessions without a `sid`, on the provider's clock: the claim `iat` of the provider's message.
        without_sid_until: Timestamp,
    },
}

impl EvictTarget {
    /// Returns `true` if the eviction ends the session with this `session_id`, `sid` and `times`, and `false` if the session continues. A
    /// store calls it for each session of the account.
    ///
    /// `sid` is `None` if the session has no `sid`. `times` must come from [`SessionTimes::credible_at`]: a time in the far future would
    /// otherwise spare the session.
    ///
    /// - [`Session`](Self::Session) ends the session with this `session_id`.
    /// - [`Account`](Self::Account) ends the session if [`SessionTimes::is_not_after`] the cutoff time. A session has one time on the
    ///   store's
    ///   clock and one on the provider's. The cutoff time is on one of the two clocks.
    /// - [`Sid`](Self::Sid) ends the session if it has this `sid` and [`CutoffBound::ends`] returns `true`.
    /// - [`SidOrWithoutSid`](Self::SidOrWithoutSid) ends the session if it has this `sid`. It also ends a session without a `sid` whose
    ///   `auth_time` is `without_sid_until` or earlier.
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
