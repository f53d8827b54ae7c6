use crate::{CutoffClock, CutoffTime, EvictTarget, SessionRecord, Timestamp};

/// A not-before time. It refuses sign-ins at or before `at`, until it expires.
#[derive(Debug, Clone, Copy)]
pub(super) struct NotBefore {
    at: Timestamp,
    expires_at: Timestamp,
}

impl NotBefore {
    /// Raises a not-before time, or sets the first one. Neither its time nor its expiry is ever lowered.
    pub(super) fn raise(not_before: &mut Option<Self>, at: Timestamp, expires_at: Timestamp) {
        let not_before = not_before.get_or_insert(Self { at, expires_at });
        not_before.at = not_before.at.max(at);
        not_before.expires_at = not_before.expires_at.max(expires_at);
    }

    pub(super) fn refuses(not_before: Option<Self>, time: Timestamp, now: Timestamp) -> bool {
        not_before.is_some_and(|not_before| not_before.stands(now) && time <= not_before.at)
    }

    pub(super) fn stands(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

/// The not-before times of one account, for a store in the memory of one process. The caller makes each step atomic, for example with a lock.
///
/// `now` is the time on the store's own clock.
#[derive(Debug, Default)]
pub struct NotBeforeTimes {
    store: Option<NotBefore>,
    provider: Option<NotBefore>,
    without_sid: Option<NotBefore>,
}

impl NotBeforeTimes {
    /// Returns whether a sign-out refuses the session that begins, as [`TokenStore::begin`](crate::TokenStore::begin) describes it (G2).
    pub fn refuse(&self, record: &SessionRecord, now: Timestamp) -> bool {
        let times = &record.times;
        NotBefore::refuses(self.store, times.requested_at, now)
            || NotBefore::refuses(self.provider, times.auth_time, now)
            || record.sid.is_none() && NotBefore::refuses(self.without_sid, times.auth_time, now)
    }

    /// Raises the not-before time that an eviction of `target` sets, if it sets one: see [`EvictTarget`]. It is kept until `expires_at`, and
    /// never lowered.
    pub fn raise(&mut self, target: &EvictTarget, expires_at: Timestamp) {
        let (not_before, at) = match target {
            EvictTarget::Account(CutoffTime {
                clock: CutoffClock::Store,
                at,
            }) => (&mut self.store, at),
            EvictTarget::Account(CutoffTime {
                clock: CutoffClock::Provider,
                at,
            }) => (&mut self.provider, at),
            EvictTarget::SidOrWithoutSid {
                without_sid_until, ..
            } => (&mut self.without_sid, without_sid_until),
            EvictTarget::Session(_) | EvictTarget::Sid { .. } => return,
        };
        NotBefore::raise(not_before, *at, expires_at);
    }

    /// Returns whether any of the times has not expired. A store can drop an account that has no session and no such time.
    pub fn any_stands(&self, now: Timestamp) -> bool {
        [self.store, self.provider, self.without_sid]
            .iter()
            .flatten()
            .any(|not_before| not_before.stands(now))
    }
}
