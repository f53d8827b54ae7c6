//! The item of a `sid`: its accounts, and its not-before times.
//!
//! | attribute | value |
//! |---|---|
//! | `a` and the name of an account | the end of the account's last session with this `sid` |
//! | `l` | the latest of these |
//! | `k`, `x` | the not-before time that the app's own sign-outs set, and its expiry |
//! | `g` | the provider ended the `sid` forever; kept at least until this time |
//! | `v` | a random version, which every change replaces |
//! | `exp` | when the table may delete the item |
//!
//! A not-before time is valid until its expiry, and as long as the item has an account with a live session.

use token_cache_core::{
    AccountKey, CutoffBound, CutoffTime, NOT_BEFORE_LIFETIME, SidEntry, Timestamp,
};

use crate::{
    account_item::NotBefore,
    client::{Expression, Item, Value},
    entry::seconds,
    keys::{Key, parse_sid_entry, sid_entry},
};

/// The decoded item of a `sid`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SidRecord {
    accounts: Vec<(AccountKey, Timestamp)>,
    latest_end: Timestamp,
    not_before: Option<NotBefore>,
    forever: Option<Timestamp>,
    time_to_live: u64,
}

impl SidRecord {
    /// Decodes an item, and returns whether all of it was valid. Invalid parts are left out. An account with an unreadable end counts as
    /// live, since a sign-out must reach it.
    pub(crate) fn decode(item: &Item) -> (Self, bool) {
        let mut complete = true;
        let mut number = |name: &str| {
            let number = item.number(name);
            complete &= number.is_some() || !item.has(name);
            number
        };
        let mut moment = |name: &str| number(name).map(Timestamp::from_millis);
        let not_before = moment("k").zip(moment("x"));
        let accounts = item
            .names()
            .filter_map(|name| Some((parse_sid_entry(name)?, name)));
        let sid_record = Self {
            latest_end: moment("l").unwrap_or_default(),
            not_before: not_before.map(|(at, expires_at)| NotBefore { at, expires_at }),
            forever: moment("g"),
            accounts: accounts
                .map(|(account, name)| (account, moment(name).unwrap_or(Timestamp::MAX)))
                .collect(),
            time_to_live: number("exp").unwrap_or_default(),
        };
        (sid_record, complete)
    }

    pub(crate) fn encode(&self, key: &Key, version: &[u8]) -> Item {
        let mut item = Item::at(key)
            .with("v", version)
            .with("exp", self.time_to_live);
        for (account, ends_at) in &self.accounts {
            item = item.with(&sid_entry(account), ends_at.as_millis());
        }
        if !self.accounts.is_empty() {
            item = item.with("l", self.latest_end.as_millis());
        }
        if let Some(not_before) = self.not_before {
            item = item
                .with("k", not_before.at.as_millis())
                .with("x", not_before.expires_at.as_millis());
        }
        match self.forever {
            Some(bound) => item.with("g", bound.as_millis()),
            None => item,
        }
    }

    /// Returns whether a not-before time refuses, at `now`, a sign-in with this request time.
    pub(crate) fn refuses(&self, time: Timestamp, now: Timestamp) -> bool {
        let stands = |bound: Timestamp| now < bound.max(self.latest_end);
        self.forever.is_some_and(stands)
            || self
                .not_before
                .is_some_and(|not_before| time <= not_before.at && stands(not_before.expires_at))
    }

    /// Adds an account. Its end never falls.
    pub(crate) fn enter(&mut self, sid_entry: &SidEntry) {
        match self
            .accounts
            .iter_mut()
            .find(|(account, _)| *account == sid_entry.account)
        {
            Some((_, ends_at)) => *ends_at = (*ends_at).max(sid_entry.ends_at),
            None => self.accounts.push((sid_entry.account, sid_entry.ends_at)),
        }
        self.latest_end = self.latest_end.max(sid_entry.ends_at);
        self.time_to_live = self.time_to_live.max(time_to_live_of(sid_entry.ends_at));
    }

    /// Sets a not-before time that expires at `end`.
    pub(crate) fn set_not_before(&mut self, bound: CutoffBound, end: Timestamp) {
        match bound {
            CutoffBound::Forever => self.forever = self.forever.max(Some(end)),
            CutoffBound::Time(CutoffTime { at, .. }) => {
                let expires_at = end;
                NotBefore::raise(&mut self.not_before, NotBefore { at, expires_at });
            }
        }
        self.time_to_live = self.time_to_live.max(seconds(end));
    }

    /// Returns the accounts with a live session at `now`.
    pub(crate) fn live_accounts(&self, now: Timestamp) -> Vec<AccountKey> {
        let living = self.accounts.iter().filter(|(_, ends_at)| now < *ends_at);
        living.map(|(account, _)| *account).collect()
    }
}

/// Returns when the table may delete the item: after the session, and after a not-before time that a sign-out sets during the session.
fn time_to_live_of(ends_at: Timestamp) -> u64 {
    seconds(ends_at + 2 * NOT_BEFORE_LIFETIME)
}

/// The update that adds an account. It fails if a not-before time refuses the sign-in, or an existing value is later.
pub(crate) fn enter_expression(sid_entry: &SidEntry, now: Timestamp, version: &[u8]) -> Expression {
    Expression::set("SET #account = :ends, #l = :ends, #exp = :exp, #v = :v")
        .only_if(
            "(attribute_not_exists(#l) OR #l <= :ends) \
             AND (attribute_not_exists(#exp) OR #exp <= :exp) \
             AND (attribute_not_exists(#g) OR (#g <= :now AND (attribute_not_exists(#l) OR #l <= :now))) \
             AND (attribute_not_exists(#k) OR #k < :place \
                  OR (#x <= :now AND (attribute_not_exists(#l) OR #l <= :now)))",
        )
        .name("#account", crate::keys::sid_entry(&sid_entry.account))
        .value(":ends", sid_entry.ends_at.as_millis())
        .value(":exp", time_to_live_of(sid_entry.ends_at))
        .value(":v", version)
        .value(":now", now.as_millis())
        .value(":place", sid_entry.requested_at.as_millis())
        .return_existing()
}

/// The update that sets a not-before time. It fails if an existing value is later, or the item would expire earlier.
pub(crate) fn mark_expression(bound: CutoffBound, end: Timestamp, version: &[u8]) -> Expression {
    const OUTLIVES: &str = "(attribute_not_exists(#exp) OR #exp >= :exp)";
    let expression = match bound {
        CutoffBound::Forever => Expression::set("SET #g = :end, #v = :v, #exp = if_not_exists(#exp, :exp)")
            .only_if(format!(
                "(attribute_not_exists(#g) OR #g <= :end) AND {OUTLIVES}"
            )),
        CutoffBound::Time(CutoffTime { at, .. }) => Expression::set(
            "SET #k = :at, #x = :end, #v = :v, #exp = if_not_exists(#exp, :exp)",
        )
        .only_if(format!(
            "(attribute_not_exists(#k) OR #k <= :at) AND (attribute_not_exists(#x) OR #x <= :end) AND {OUTLIVES}"
        ))
        .value(":at", at.as_millis()),
    };
    expression
        .value(":end", end.as_millis())
        .value(":exp", seconds(end))
        .value(":v", version)
        .return_existing()
}

/// The condition that an item is unchanged.
pub(crate) fn if_unchanged(seen: Option<Value>) -> Expression {
    match seen {
        Some(seen) => Expression::condition("#v = :seen").value(":seen", seen),
        None => Expression::condition("attribute_not_exists(#v)"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use token_cache_core::IssuerKey;

    use super::*;

    fn moment() -> impl Strategy<Value = Timestamp> {
        (0..1_u64 << 42).prop_map(Timestamp::from_millis)
    }

    fn sid_entry() -> impl Strategy<Value = SidEntry> {
        (0_u8..4, moment(), moment()).prop_map(|(n, requested_at, ends_at)| {
            let account = AccountKey::new(IssuerKey::from_bytes([1; 16]), [n; 16]);
            SidEntry::new(account, requested_at, ends_at, Timestamp::MAX)
        })
    }

    fn until() -> impl Strategy<Value = CutoffBound> {
        prop_oneof![
            Just(CutoffBound::Forever),
            moment().prop_map(|at| CutoffBound::Time(CutoffTime::on_store_clock(at))),
        ]
    }

    fn key() -> Key {
        Key {
            pk: "tc:S:x".to_owned(),
            sk: "#".to_owned(),
        }
    }

    proptest! {
        #[test]
        fn an_item_is_read_as_it_was_written(entered in vec(sid_entry(), 0..6), cutoffs in vec((until(), moment()), 0..4)) {
            let mut sid_record = SidRecord::default();
            for sid_entry in &entered {
                sid_record.enter(sid_entry);
            }
            for (bound, end) in cutoffs {
                sid_record.set_not_before(bound, end);
            }
            let (mut read, complete) = SidRecord::decode(&sid_record.encode(&key(), b"v"));
            prop_assert!(complete);
            read.accounts.sort_unstable();
            sid_record.accounts.sort_unstable();
            prop_assert_eq!(read, sid_record);
        }

        #[test]
        fn nothing_ever_falls(entered in vec(sid_entry(), 1..6), (bound, end) in (until(), moment()), now in moment()) {
            let mut sid_record = SidRecord::default();
            sid_record.set_not_before(bound, end);
            let mut before = sid_record.clone();
            for sid_entry in &entered {
                sid_record.enter(sid_entry);
                prop_assert!(sid_record.time_to_live >= before.time_to_live && sid_record.latest_end >= before.latest_end);
                let refused = before.refuses(sid_entry.requested_at, now);
                prop_assert!(!refused || sid_record.refuses(sid_entry.requested_at, now));
                before = sid_record.clone();
            }
            let living = sid_record.live_accounts(now);
            prop_assert!(entered.iter().all(|sid_entry| now >= sid_entry.ends_at || living.contains(&sid_entry.account)));
        }
    }

    #[test]
    fn unreadable_attributes_are_reported() {
        let (sid_record, complete) =
            SidRecord::decode(&Item::at(&key()).with("g", "for good").with("exp", 7));
        assert!(!complete);
        assert_eq!(sid_record.forever, None);
    }
}
