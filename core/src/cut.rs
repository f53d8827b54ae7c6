use crate::{SessionId, SidKey, Timestamp, auth_time::MOST_PROVIDER_AHEAD};

/// Whose clock a moment is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a third clock would be another protocol"
)]
pub enum Clock {
    /// The store's, as every server estimates it: sign-outs by the app itself.
    Store,
    /// The provider's: sign-outs by its messages.
    Provider,
}

/// A moment on one of the two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a moment is a clock and a reading of it"
)]
pub struct Moment {
    /// Whose clock.
    pub clock: Clock,
    /// Its reading.
    pub at: Timestamp,
}

impl Moment {
    /// A moment of the store's clock.
    pub const fn of_store(at: Timestamp) -> Self {
        Self {
            clock: Clock::Store,
            at,
        }
    }

    /// A moment of the provider's clock.
    pub const fn of_provider(at: Timestamp) -> Self {
        Self {
            clock: Clock::Provider,
            at,
        }
    }
}

/// Where a session stands on each clock: the moment of its authentication.
///
/// It is not after a cut whose moment is the same or later: equal counts as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "one place a clock, and there are two clocks"
)]
pub struct Places {
    /// On the store's clock: when the authorization request was sent.
    pub store: Timestamp,
    /// On the provider's clock: the `auth_time`, or the best that is known.
    pub provider: Timestamp,
}

impl Places {
    /// The place on `clock`.
    pub const fn on(&self, clock: Clock) -> Timestamp {
        match clock {
            Clock::Store => self.store,
            Clock::Provider => self.provider,
        }
    }

    /// Returns the places as far as they can be right at `now` on the store's clock.
    ///
    /// A time that is over five minutes ahead of `now` becomes the earliest time there is. No sign-in stores one, and a session
    /// that claims to begin in the future would be spared by every sign-out until then. A store compares these places with a
    /// sign-out's time.
    pub fn credible_at(&self, now: Timestamp) -> Self {
        let credible = |place: Timestamp| {
            if place > now + MOST_PROVIDER_AHEAD {
                Timestamp::default()
            } else {
                place
            }
        };
        Self {
            store: credible(self.store),
            provider: credible(self.provider),
        }
    }

    /// True where a cut at `moment` ends it.
    pub fn stands_before(&self, moment: Moment) -> bool {
        self.on(moment.clock) <= moment.at
    }
}

/// How far a cut of a provider's session reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store must tell all of them apart"
)]
pub enum Until {
    /// What stands at or before this moment.
    Moment(Moment),
    /// Everything, also what comes later: the provider has ended that session, and its `sid` never comes again.
    ForGood,
}

impl Until {
    /// True where a session at `places` is ended.
    pub fn ends(&self, places: &Places) -> bool {
        match self {
            Self::Moment(moment) => places.stands_before(*moment),
            Self::ForGood => true,
        }
    }
}

/// What a sign-out is to one account's partition.
///
/// A cut ends the sessions that stand in its scope at or before its moment and stays behind as a marker, so that a
/// sign-in that stands before it and lands after it is refused (G2). Markers only rise: a cut that is repeated, delayed
/// or sent twice ends nothing new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store that knows not all of them can't keep G1"
)]
pub enum Cut {
    /// One session, by name. It needs no marker: a session id never comes again.
    Session(SessionId),
    /// Every session of the account. Marks the account on the moment's clock.
    Account(Moment),
    /// The sessions labelled with a `sid`. Its marker is kept by the [`SidIndex`](crate::SidIndex).
    ProviderSession {
        /// The label.
        sid: SidKey,
        /// How far it reaches.
        until: Until,
    },
    /// The sessions labelled with a `sid`, all of them, and the unlabelled ones up to a moment of the provider's clock.
    /// Marks the account's unlabelled sessions.
    ProviderSessionOrUnlabelled {
        /// The label.
        sid: SidKey,
        /// The `iat` of the provider's message.
        unlabelled_until: Timestamp,
    },
}

impl Cut {
    /// True where it ends the session `session_id` with this label at these places.
    pub fn ends(&self, session_id: &SessionId, label: Option<&SidKey>, places: &Places) -> bool {
        match self {
            Self::Session(ended) => ended == session_id,
            Self::Account(moment) => places.stands_before(*moment),
            Self::ProviderSession { sid, until } => label == Some(sid) && until.ends(places),
            Self::ProviderSessionOrUnlabelled {
                sid,
                unlabelled_until,
            } => match label {
                Some(label) => label == sid,
                None => places.stands_before(Moment::of_provider(*unlabelled_until)),
            },
        }
    }
}
