//! What the model's servers store, and the contract's rules for one record.
//!
//! The two stores share these records. They differ in their steps: one step covers a whole account, or one item.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use token_cache_core::{
    AccountKey, BeginSession, CutoffBound, CutoffClock, CutoffTime, EvictTarget, IssuerKey,
    SessionId, SessionTimes, SidKey, Timestamp,
};

/// A time at or before which sign-ins are refused, until it expires.
#[derive(Debug, Clone, Copy, Hash, PartialEq, Eq)]
pub(super) struct NotBefore {
    /// The cutoff time.
    pub(super) at: Timestamp,
    /// When it expires.
    pub(super) expires_at: Timestamp,
}

impl NotBefore {
    /// Returns `true` if it refuses a sign-in with this session time.
    pub(super) fn refuses(not_before: Option<Self>, time: Timestamp, now: Timestamp) -> bool {
        not_before.is_some_and(|not_before| now < not_before.expires_at && time <= not_before.at)
    }

    /// Raises a not-before time, or sets the first one.
    pub(super) fn raise(not_before: &mut Option<Self>, at: Timestamp, expires_at: Timestamp) {
        let not_before = not_before.get_or_insert(Self { at, expires_at });
        not_before.at = not_before.at.max(at);
        not_before.expires_at = not_before.expires_at.max(expires_at);
    }
}

/// The record of a session.
#[derive(Debug, Clone, Hash, PartialEq, Eq)]
pub(super) struct Stored {
    /// The provider's session.
    pub(super) sid: Option<SidKey>,
    /// Its session times.
    pub(super) times: SessionTimes,
    /// When it ends.
    pub(super) ends_at: Timestamp,
}

/// An account's record.
#[derive(Debug, Clone, Default, Hash, PartialEq, Eq)]
pub(super) struct AccountRecord {
    /// Written anew by every change (DynamoDB).
    pub(super) v: u32,
    /// The live sessions.
    pub(super) sessions: BTreeMap<SessionId, Stored>,
    /// The latest session times that ever signed in, on the store's clock and on the provider's (DynamoDB).
    pub(super) newest: Option<SessionTimes>,
    /// The not-before time on the store's clock.
    pub(super) store: Option<NotBefore>,
    /// The not-before time on the provider's clock.
    pub(super) provider: Option<NotBefore>,
    /// The not-before time of the sessions without a `sid`.
    pub(super) without_sid: Option<NotBefore>,
    /// From when on the store may delete it (DynamoDB).
    pub(super) time_to_live: Option<Timestamp>,
}

impl AccountRecord {
    /// Returns `true` if a not-before time refuses this sign-in.
    pub(super) fn refuses(&self, begin: &BeginSession, now: Timestamp) -> bool {
        let times = begin.record.times;
        NotBefore::refuses(self.store, times.requested_at, now)
            || NotBefore::refuses(self.provider, times.auth_time, now)
            || begin.record.sid.is_none()
                && NotBefore::refuses(self.without_sid, times.auth_time, now)
    }

    /// Records a session, and removes those it supersedes.
    pub(super) fn begin(&mut self, begin: &BeginSession) {
        for earlier in &begin.supersedes {
            self.sessions.remove(earlier);
        }
        let record = &begin.record;
        let stored = Stored {
            sid: record.sid,
            times: record.times,
            ends_at: record.ends_at,
        };
        self.sessions.insert(record.session_id, stored);
        let newest = self.newest.get_or_insert(record.times);
        newest.requested_at = newest.requested_at.max(record.times.requested_at);
        newest.auth_time = newest.auth_time.max(record.times.auth_time);
    }

    /// Removes the sessions that an evict target ends, and returns their ids.
    pub(super) fn end(&mut self, target: &EvictTarget) -> Vec<SessionId> {
        let ended: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(session_id, stored)| {
                target.ends(session_id, stored.sid.as_ref(), &stored.times)
            })
            .map(|(session_id, _)| *session_id)
            .collect();
        for session_id in &ended {
            self.sessions.remove(session_id);
        }
        ended
    }

    /// Returns the not-before time that an evict target sets here, and its cutoff time.
    pub(super) fn not_before(
        &mut self,
        target: &EvictTarget,
    ) -> Option<(&mut Option<NotBefore>, Timestamp)> {
        match target {
            EvictTarget::Account(CutoffTime {
                clock: CutoffClock::Store,
                at,
            }) => Some((&mut self.store, *at)),
            EvictTarget::Account(CutoffTime {
                clock: CutoffClock::Provider,
                at,
            }) => Some((&mut self.provider, *at)),
            EvictTarget::SidOrWithoutSid {
                without_sid_until, ..
            } => Some((&mut self.without_sid, *without_sid_until)),
            EvictTarget::Session(_) | EvictTarget::Sid { .. } => None,
        }
    }

    /// Returns `true` if the session is live.
    pub(super) fn lives(&self, session_id: &SessionId, now: Timestamp) -> bool {
        self.sessions
            .get(session_id)
            .is_some_and(|stored| now < stored.ends_at)
    }

    pub(super) fn sessions_end(&self) -> Timestamp {
        let ends = self.sessions.values().map(|stored| stored.ends_at);
        ends.max().unwrap_or_default()
    }

    pub(super) fn not_before_times_end(&self) -> Timestamp {
        let not_before_times = [self.store, self.provider, self.without_sid];
        let ends = not_before_times
            .iter()
            .flatten()
            .map(|not_before| not_before.expires_at);
        ends.max().unwrap_or_default()
    }
}

/// The record of a provider's `sid`.
#[derive(Debug, Clone, Default, Hash, PartialEq, Eq)]
pub(super) struct SidRecord {
    /// The accounts, and when the entry of each expires.
    pub(super) accounts: BTreeMap<AccountKey, Timestamp>,
    /// The not-before time of the app's own sign-outs.
    pub(super) not_before: Option<NotBefore>,
    /// If the provider has ended the `sid`: the earliest time at which that may be forgotten.
    pub(super) forever: Option<Timestamp>,
}

impl SidRecord {
    /// Returns `true` if it refuses a sign-in that was requested at `time`.
    pub(super) fn refuses(&self, time: Timestamp, now: Timestamp) -> bool {
        self.forever.is_some_and(|bound| now < bound)
            || NotBefore::refuses(self.not_before, time, now)
    }

    /// Sets the not-before time of the `sid` and returns its accounts.
    pub(super) fn raise(
        &mut self,
        bound: CutoffBound,
        now: Timestamp,
        life: Duration,
    ) -> Vec<AccountKey> {
        let longest = self.accounts.values().max().copied().unwrap_or_default();
        let expires_at = longest.max(now + life);
        match bound {
            CutoffBound::Forever => self.forever = self.forever.max(Some(expires_at)),
            CutoffBound::Time(cutoff) => {
                NotBefore::raise(&mut self.not_before, cutoff.at, expires_at);
            }
        }
        let living = self.accounts.iter().filter(|(_, ends_at)| now < **ends_at);
        living.map(|(account, _)| *account).collect()
    }

    fn expires_at(&self) -> Timestamp {
        let accounts = self.accounts.values().max().copied().unwrap_or_default();
        let not_before = self.not_before.map(|not_before| not_before.expires_at);
        accounts
            .max(not_before.unwrap_or_default())
            .max(self.forever.unwrap_or_default())
    }
}

/// Everything that a server stores. Each session has at most one entry, whose value is a number.
#[derive(Debug, Clone, Default, Hash)]
pub(super) struct State {
    /// The accounts' records.
    pub(super) account_records: BTreeMap<AccountKey, AccountRecord>,
    /// The entries.
    pub(super) entries: BTreeMap<(AccountKey, SessionId), [u8; 8]>,
    /// The versions of the writes that created an entry, also after it was removed.
    pub(super) creations: BTreeSet<(AccountKey, SessionId, [u8; 8])>,
    /// The background sessions.
    pub(super) background_sessions: BTreeSet<(AccountKey, SessionId)>,
    /// The index from `sid`s to accounts.
    pub(super) sids: BTreeMap<SidKey, SidRecord>,
    /// The issuers' not-before times.
    pub(super) issuers: BTreeMap<IssuerKey, NotBefore>,
}

impl State {
    /// Returns `true` if the session is live.
    pub(super) fn lives(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        now: Timestamp,
    ) -> bool {
        let record = self.account_records.get(account);
        record.is_some_and(|record| record.lives(session_id, now))
    }

    /// Returns the live sessions.
    pub(super) fn living(&self, now: Timestamp) -> Vec<SessionId> {
        let account_records = self.account_records.values();
        account_records
            .flat_map(|record| record.sessions.iter())
            .filter(|(_, stored)| now < stored.ends_at)
            .map(|(session_id, _)| *session_id)
            .collect()
    }

    /// Removes the entries and background sessions of ended sessions.
    pub(super) fn forget(&mut self, account: &AccountKey, session_ids: &[SessionId]) {
        for session_id in session_ids {
            self.entries.remove(&(*account, *session_id));
            self.background_sessions.remove(&(*account, *session_id));
            self.creations
                .retain(|(of, session, _)| (of, session) != (account, session_id));
        }
    }

    /// Removes what has expired, as `PEXPIRE` and a time to live do.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        self.account_records.retain(|_, record| {
            let needed_until = record.sessions_end().max(record.not_before_times_end());
            now < record.time_to_live.unwrap_or(needed_until)
        });
        self.sids
            .retain(|_, sid_record| now < sid_record.expires_at());
        self.issuers
            .retain(|_, not_before| now < not_before.expires_at);
    }

    /// Returns the first account after `cursor` that has sessions, and whether more follow.
    pub(super) fn page(&self, cursor: Option<&str>) -> (Option<AccountKey>, bool) {
        let mut accounts = self
            .account_records
            .iter()
            .filter(|(account, record)| {
                !record.sessions.is_empty()
                    && cursor.is_none_or(|after| cursor_of(account).as_str() > after)
            })
            .map(|(account, _)| *account);
        (accounts.next(), accounts.next().is_some())
    }
}

/// Returns the cursor of a page that ends with this account.
pub(super) fn cursor_of(account: &AccountKey) -> String {
    format!("{:03}", account.subject()[0])
}
