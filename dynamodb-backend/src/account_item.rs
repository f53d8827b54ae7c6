//! The account item: the live sessions of an account, and its not-before times.
//!
//! | attribute | value |
//! |---|---|
//! | `s` | a map from session ids to session records |
//! | `ns`, `np` | the newest sign-in so far, on the store's clock and on the provider's |
//! | `ks`, `kp`, `ku` | the not-before times: on the store's clock, on the provider's, and of the sessions without a `sid` |
//! | `xs`, `xp`, `xu` | when these not-before times expire |
//! | `v` | a random version, which every change replaces |
//! | `exp` | when the table may delete the item |

use std::collections::BTreeMap;

use token_cache_core::{
    BeginSession, CutoffClock, CutoffTime, EvictTarget, NOT_BEFORE_LIFETIME, SessionId,
    SessionRecord, Timestamp,
};

use crate::{
    client::{Item, Value},
    entry::seconds,
    keys::{self, Key},
    record,
};

/// The decoded item of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AccountItem {
    pub(crate) sessions: BTreeMap<SessionId, SessionRecord>,
    newest: [Option<Timestamp>; 2],
    not_before_times: [Option<NotBefore>; 3],
}

/// A not-before time: sign-ins at or before `at` are refused until it expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotBefore {
    pub(crate) at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// One of the three not-before times of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Of(CutoffClock),
    WithoutSid,
}

const NEWEST: [&str; 2] = ["ns", "np"];
const NOT_BEFORE: [(&str, &str); 3] = [("ks", "xs"), ("kp", "xp"), ("ku", "xu")];

/// Returns the not-before time that an eviction sets, or `None` if it sets none.
pub(crate) fn not_before_of(target: &EvictTarget) -> Option<(Kind, Timestamp)> {
    match target {
        EvictTarget::Account(CutoffTime { clock, at }) => Some((Kind::Of(*clock), *at)),
        EvictTarget::SidOrWithoutSid {
            without_sid_until, ..
        } => Some((Kind::WithoutSid, *without_sid_until)),
        EvictTarget::Session(_) | EvictTarget::Sid { .. } => None,
    }
}

impl Kind {
    const fn index(self) -> usize {
        match self {
            Self::Of(CutoffClock::Store) => 0,
            Self::Of(CutoffClock::Provider) => 1,
            Self::WithoutSid => 2,
        }
    }
}

impl NotBefore {
    fn refuses(not_before: Option<Self>, time: Timestamp, now: Timestamp) -> bool {
        not_before.is_some_and(|not_before| now < not_before.expires_at && time <= not_before.at)
    }

    /// Raises a not-before time, or sets it. Neither its time nor its expiry ever falls.
    pub(crate) fn raise(not_before: &mut Option<Self>, by: Self) {
        let not_before = not_before.get_or_insert(by);
        not_before.at = not_before.at.max(by.at);
        not_before.expires_at = not_before.expires_at.max(by.expires_at);
    }
}

impl AccountItem {
    /// Decodes an item, and returns whether all of it was valid. Invalid parts are left out.
    pub(crate) fn decode(item: &Item) -> (Self, bool) {
        let mut account_item = Self::default();
        let mut complete = true;
        match item.map("s") {
            None => complete = false,
            Some(sessions) => {
                for (name, value) in sessions.iter() {
                    match decode_session(name, value.bytes()) {
                        Some(record) => {
                            account_item.sessions.insert(record.session_id, record);
                        }
                        None => complete = false,
                    }
                }
            }
        }
        let mut moment = |name| {
            let moment = item.number(name).map(Timestamp::from_millis);
            complete &= moment.is_some() || !item.has(name);
            moment
        };
        account_item.newest = NEWEST.map(&mut moment);
        account_item.not_before_times = NOT_BEFORE.map(|(at, expires_at)| {
            let (at, expires_at) = (moment(at), moment(expires_at));
            let not_before = at.zip(expires_at);
            not_before.map(|(at, expires_at)| NotBefore { at, expires_at })
        });
        (account_item, complete)
    }

    pub(crate) fn encode(&self, key: &Key, version: &[u8], now: Timestamp) -> Item {
        let sessions = self.sessions.iter().map(|(session_id, record)| {
            (keys::session_id(session_id), record::encode_session(record))
        });
        let mut item = Item::at(key)
            .with("s", Value::map(sessions))
            .with("v", version)
            .with("exp", self.time_to_live(now));
        for (name, newest) in NEWEST.iter().zip(self.newest) {
            if let Some(newest) = newest {
                item = item.with(name, newest.as_millis());
            }
        }
        for ((at, expires_at), not_before) in NOT_BEFORE.iter().zip(self.not_before_times) {
            if let Some(not_before) = not_before {
                item = item
                    .with(at, not_before.at.as_millis())
                    .with(expires_at, not_before.expires_at.as_millis());
            }
        }
        item
    }

    /// Returns when the table may delete the item: after the last session and the last not-before time, and never within the lifetime of
    /// a not-before time from now.
    ///
    /// The network may duplicate a request that begins the first session of an account. The late copy must find the item.
    fn time_to_live(&self, now: Timestamp) -> u64 {
        let sessions = self.sessions.values().map(|record| record.ends_at);
        let not_before_times = self
            .not_before_times
            .iter()
            .flatten()
            .map(|not_before| not_before.expires_at);
        let last = sessions.chain(not_before_times).max().unwrap_or_default();
        seconds(last.max(now + NOT_BEFORE_LIFETIME))
    }

    /// Returns whether a not-before time refuses the sign-in at `now`.
    pub(crate) fn refuses(&self, record: &SessionRecord, now: Timestamp) -> bool {
        let [store, provider, without_sid] = self.not_before_times;
        NotBefore::refuses(store, record.times.requested_at, now)
            || NotBefore::refuses(provider, record.times.auth_time, now)
            || record.sid.is_none() && NotBefore::refuses(without_sid, record.times.auth_time, now)
    }

    /// Adds a session, and removes those that it supersedes and those that are over. Ends the oldest sessions of its kind when the limit is
    /// exceeded, and returns how many.
    pub(crate) fn begin(&mut self, begin: &BeginSession) -> usize {
        self.sessions.retain(|session_id, record| {
            !record.is_over(begin.now) && !begin.supersedes.contains(session_id)
        });
        let records = self.sessions.values();
        let mut alike: Vec<_> = records
            .filter(|record| record.kind == begin.record.kind)
            .map(|record| (record.times.requested_at, record.session_id))
            .collect();
        alike.sort_unstable();
        alike.truncate((alike.len() + 1).saturating_sub(begin.max_sessions.max(1)));
        for (_, session_id) in &alike {
            self.sessions.remove(session_id);
        }
        let times = begin.record.times;
        for (newest, time) in self
            .newest
            .iter_mut()
            .zip([times.requested_at, times.auth_time])
        {
            *newest = (*newest).max(Some(time));
        }
        self.sessions
            .insert(begin.record.session_id, begin.record.clone());
        alike.len()
    }

    /// Removes the evicted sessions and those that are over at `now`. Returns whether a live session was evicted.
    pub(crate) fn end(&mut self, target: &EvictTarget, now: Timestamp) -> bool {
        self.sessions.retain(|_, record| !record.is_over(now));
        let living = self.sessions.len();
        self.sessions.retain(|session_id, record| {
            let times = record.times.credible_at(now);
            !target.ends(session_id, record.sid.as_ref(), &times)
        });
        self.sessions.len() < living
    }

    /// Sets a not-before time.
    pub(crate) fn set_not_before(&mut self, kind: Kind, not_before: NotBefore) {
        NotBefore::raise(&mut self.not_before_times[kind.index()], not_before);
    }
}

/// Returns the record of one session in an account item, or `None` if it is missing.
///
/// # Errors
/// `Err` if the record cannot be read.
pub(crate) fn session(item: &Item, session_id: &SessionId) -> Result<Option<SessionRecord>, ()> {
    let sessions = item.map("s").ok_or(())?;
    let Some(value) = sessions.get(keys::session_id(session_id).as_str()) else {
        return Ok(None);
    };
    let bytes = value.bytes().ok_or(())?;
    record::decode_session(*session_id, bytes)
        .map(Some)
        .ok_or(())
}

/// Returns whether the replaced sessions contained a live one. An unreadable record counts as live.
pub(crate) fn had_live_session(replaced: &Item, now: Timestamp) -> bool {
    replaced.map("s").is_some_and(|sessions| {
        sessions.iter().any(|(name, value)| {
            decode_session(name, value.bytes()).is_none_or(|record| !record.is_over(now))
        })
    })
}

fn decode_session(name: &str, bytes: Option<&[u8]>) -> Option<SessionRecord> {
    record::decode_session(keys::parse_session_id(name)?, bytes?)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use token_cache_core::{CutoffBound, SidKey};

    use super::*;
    use crate::record::tests::session;

    fn key() -> Key {
        Key {
            pk: "tc:A:i.s".to_owned(),
            sk: "#".to_owned(),
        }
    }

    fn moment() -> impl Strategy<Value = Timestamp> {
        (0..1_u64 << 42).prop_map(Timestamp::from_millis)
    }

    fn not_before() -> impl Strategy<Value = (Kind, NotBefore)> {
        let kind = prop_oneof![
            Just(Kind::Of(CutoffClock::Store)),
            Just(Kind::Of(CutoffClock::Provider)),
            Just(Kind::WithoutSid),
        ];
        (kind, moment(), moment())
            .prop_map(|(kind, at, expires_at)| (kind, NotBefore { at, expires_at }))
    }

    fn account_item() -> impl Strategy<Value = AccountItem> {
        (vec(session(), 0..6), vec(not_before(), 0..6)).prop_map(|(sessions, not_before_times)| {
            let mut account_item = AccountItem::default();
            for record in sessions {
                account_item.begin(&BeginSession::new(
                    record,
                    Timestamp::MAX,
                    Timestamp::default(),
                ));
            }
            for (kind, not_before) in not_before_times {
                account_item.set_not_before(kind, not_before);
            }
            account_item
        })
    }

    fn evict_target() -> impl Strategy<Value = EvictTarget> {
        let sid = || any::<[u8; 16]>().prop_map(SidKey::from_bytes);
        let session_id = any::<[u8; 16]>().prop_map(SessionId::from_bytes);
        prop_oneof![
            session_id.prop_map(EvictTarget::Session),
            moment().prop_map(|at| EvictTarget::Account(CutoffTime::on_store_clock(at))),
            moment().prop_map(|at| EvictTarget::Account(CutoffTime::on_provider_clock(at))),
            sid().prop_map(|sid| EvictTarget::Sid {
                sid,
                bound: CutoffBound::Forever,
            }),
            (sid(), moment()).prop_map(|(sid, without_sid_until)| {
                EvictTarget::SidOrWithoutSid {
                    sid,
                    without_sid_until,
                }
            }),
        ]
    }

    proptest! {
        #[test]
        fn an_account_item_is_read_as_it_was_written(account_item in account_item(), now in moment()) {
            let item = account_item.encode(&key(), b"version", now);
            prop_assert_eq!(AccountItem::decode(&item), (account_item.clone(), true));
            for (session_id, record) in &account_item.sessions {
                prop_assert_eq!(super::session(&item, session_id), Ok(Some(record.clone())));
            }
            let lives = account_item.sessions.values().any(|record| !record.is_over(now));
            prop_assert_eq!(had_live_session(&item, now), lives);
        }

        #[test]
        fn the_table_keeps_an_account_item_as_long_as_anything_in_it(account_item in account_item(), now in moment()) {
            let kept = Timestamp::from_millis(account_item.time_to_live(now).saturating_mul(1_000));
            prop_assert!(kept >= now + NOT_BEFORE_LIFETIME);
            prop_assert!(account_item.sessions.values().all(|record| kept >= record.ends_at));
            prop_assert!(account_item.not_before_times.iter().flatten().all(|not_before| kept >= not_before.expires_at));
        }

        #[test]
        fn unreadable_attributes_are_reported_and_the_rest_is_kept(account_item in account_item(), which in 0_usize..5) {
            let item = account_item.encode(&key(), b"version", Timestamp::default());
            let garbage = match which {
                0 => item.with("s", "text"),
                1 => item.with("s", Value::map([("x".to_owned(), vec![1])])),
                2 => item.with("ns", "text"),
                3 => item.with("xp", b"bytes".as_slice()),
                _ => Item::at(&key()),
            };
            let (read, complete) = AccountItem::decode(&garbage);
            prop_assert!(!complete);
            prop_assert!(read.sessions.is_empty() || read.sessions == account_item.sessions);
            prop_assert!(read.encode(&key(), b"version", Timestamp::default()).has("s"));
        }

        #[test]
        fn an_eviction_ends_its_target_and_nothing_else(account_item in account_item(), target in evict_target(), now in moment()) {
            let mut after = account_item.clone();
            let ended = after.end(&target, now);
            let mut lost = 0;
            for (session_id, record) in &account_item.sessions {
                let times = record.times.credible_at(now);
                let stays = !record.is_over(now) && !target.ends(session_id, record.sid.as_ref(), &times);
                prop_assert_eq!(after.sessions.contains_key(session_id), stays);
                lost += usize::from(!stays && !record.is_over(now));
            }
            prop_assert_eq!(ended, lost > 0);
            prop_assert_eq!((after.newest, after.not_before_times), (account_item.newest, account_item.not_before_times));
        }

        #[test]
        fn not_before_times_never_fall(account_item in account_item(), raised in vec(not_before(), 1..4), record in session(), now in moment()) {
            let mut after = account_item.clone();
            for (kind, not_before) in raised {
                after.set_not_before(kind, not_before);
            }
            prop_assert!(!account_item.refuses(&record, now) || after.refuses(&record, now));
        }

        #[test]
        fn a_sign_in_keeps_to_the_limit_and_displaces_the_first(account_item in account_item(), record in session(), limit in 0_usize..4) {
            let mut begin = BeginSession::new(record.clone(), Timestamp::MAX, Timestamp::default());
            begin.max_sessions = limit;
            let mut after = account_item.clone();
            let displaced = after.begin(&begin);
            let alike = |account_item: &AccountItem| account_item.sessions.values().filter(|other| other.kind == record.kind).count();
            prop_assert!(alike(&after) <= limit.max(1));
            prop_assert_eq!(after.sessions.get(&record.session_id), Some(&record));
            let time = |record: &SessionRecord| (record.times.requested_at, record.session_id);
            let (kept, gone): (Vec<_>, Vec<_>) = account_item
                .sessions
                .values()
                .filter(|old| old.session_id != record.session_id && !old.is_over(begin.now))
                .partition(|old| after.sessions.contains_key(&old.session_id));
            prop_assert_eq!(gone.len(), displaced);
            let last_gone = gone.iter().map(|old| time(old)).max();
            prop_assert!(kept.iter().all(|old| old.kind != record.kind || Some(time(old)) > last_gone));
            prop_assert!(gone.iter().all(|old| old.kind == record.kind));
            prop_assert!(after.newest[0] >= Some(record.times.requested_at) && after.newest[0] >= account_item.newest[0]);
        }
    }
}
