//! Stores with wrong lifetimes of not-before times and locks, and with wrong clocks.

use std::{collections::HashMap, sync::Mutex, sync::PoisonError, time::Duration};

use token_cache_core::{
    AccountKey, CutoffBound, CutoffTime, Error, EvictTarget, SidKey, Timestamp,
};

use crate::fault::fault;

fn locked<T>(held: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Its not-before times of the kind `WHAT` live for at most `MILLIS`: `a` accounts, `p` `sid`s, `i` issuers.
#[derive(Default)]
pub(crate) struct KeepsNotBeforeBriefly<const WHAT: char, const MILLIS: u64>;

impl<const WHAT: char, const MILLIS: u64> KeepsNotBeforeBriefly<WHAT, MILLIS> {
    fn life(what: char, asked: Duration) -> Duration {
        if what == WHAT {
            asked.min(Duration::from_millis(MILLIS))
        } else {
            asked
        }
    }
}

fault! {
    impl[const WHAT: char, const MILLIS: u64] KeepsNotBeforeBriefly<WHAT, MILLIS> {
        evict(self, healthy, account, target, mut options) {
            options.not_before_lifetime = Self::life('a', options.not_before_lifetime);
            healthy.evict(account, target, options).await
        }

        set_sid_not_before(self, healthy, sid, bound, mut options) {
            options.not_before_lifetime = Self::life('p', options.not_before_lifetime);
            healthy.set_sid_not_before(sid, bound, options).await
        }

        set_issuer_not_before(self, healthy, issuer, at, mut options) {
            options.not_before_lifetime = Self::life('i', options.not_before_lifetime);
            healthy.set_issuer_not_before(issuer, at, options).await
        }
    }
}

/// Its not-before times live for `HUNDREDTHS` hundredths of the lifetime that was asked for.
#[derive(Default)]
pub(crate) struct ScalesNotBefore<const HUNDREDTHS: u32>;

fault! {
    impl[const HUNDREDTHS: u32] ScalesNotBefore<HUNDREDTHS> {
        evict(self, healthy, account, target, mut options) {
            options.not_before_lifetime = options.not_before_lifetime * HUNDREDTHS / 100;
            healthy.evict(account, target, options).await
        }
    }
}

/// Counts the lifetime of a not-before time from its cutoff time instead of from when it is written.
#[derive(Default)]
pub(crate) struct CountsFromTheCutoff;

fault! {
    impl CountsFromTheCutoff {
        evict(self, healthy, account, target, mut options) {
            if let EvictTarget::Account(moment) = target
                && moment.clock == token_cache_core::CutoffClock::Store
            {
                let now = healthy.namespace().await?.time;
                options.not_before_lifetime = (moment.at + options.not_before_lifetime).since(now);
            }
            healthy.evict(account, target, options).await
        }
    }
}

/// An existing not-before time keeps its lifetime, whatever a later sign-out asks for.
#[derive(Default)]
pub(crate) struct NeverExtends {
    ends: Mutex<HashMap<AccountKey, Timestamp>>,
}

fault! {
    impl NeverExtends {
        evict(self, healthy, account, target, mut options) {
            let now = healthy.namespace().await?.time;
            if matches!(target, EvictTarget::Account(_)) {
                let mut ends = locked(&self.ends);
                let ends = ends
                    .entry(*account)
                    .or_insert(now + options.not_before_lifetime);
                options.not_before_lifetime = ends.since(now);
            }
            healthy.evict(account, target, options).await
        }
    }
}

/// The next accepted sign-in clears the not-before times of its account (`a`), or of its `sid` (`p`).
#[derive(Default)]
pub(crate) struct ClearsNotBefore<const WHAT: char> {
    accounts: Mutex<HashMap<AccountKey, Vec<CutoffTime>>>,
    sids: Mutex<HashMap<SidKey, Timestamp>>,
}

fault! {
    impl[const WHAT: char] ClearsNotBefore<WHAT> {
        begin(self, healthy, account, session) {
            let times = session.record.times;
            let marked = locked(&self.accounts).get(account).cloned();
            if marked
                .unwrap_or_default()
                .iter()
                .any(|moment| times.is_not_after(*moment))
            {
                return Err(Error::signed_out("begin a session"));
            }
            let begun = healthy.begin(account, session).await?;
            locked(&self.accounts).remove(account);
            Ok(begun)
        }

        evict(self, healthy, account, target, mut options) {
            if let EvictTarget::Account(moment) = target
                && WHAT == 'a'
            {
                locked(&self.accounts)
                    .entry(*account)
                    .or_default()
                    .push(moment);
                options.not_before_lifetime = Duration::ZERO;
            }
            healthy.evict(account, target, options).await
        }

        add(self, healthy, sid, sid_entry) {
            let marked = locked(&self.sids).get(sid).copied();
            if marked.is_some_and(|at| sid_entry.requested_at <= at) {
                return Err(Error::signed_out("enter a `sid`"));
            }
            healthy.add(sid, sid_entry).await?;
            locked(&self.sids).remove(sid);
            Ok(())
        }

        set_sid_not_before(self, healthy, sid, bound, options) {
            if let CutoffBound::Time(moment) = bound
                && WHAT == 'p'
            {
                {
                    let mut sids = locked(&self.sids);
                    let at = sids.entry(*sid).or_default();
                    *at = moment.at.max(*at);
                }
                let long_ago = CutoffBound::Time(CutoffTime::on_store_clock(Timestamp::default()));
                return healthy.set_sid_not_before(sid, long_ago, options).await;
            }
            healthy.set_sid_not_before(sid, bound, options).await
        }
    }
}

/// Drops `Forever` together with the other not-before time of a `sid`.
#[derive(Default)]
pub(crate) struct DropsForever {
    ends: Mutex<HashMap<SidKey, Timestamp>>,
}

fault! {
    impl DropsForever {
        set_sid_not_before(self, healthy, sid, bound, options) {
            if matches!(bound, CutoffBound::Time(_)) {
                // SystemTime is the clock of these stores until a check lets time pass.
                let ends = Timestamp::from_system_time(std::time::SystemTime::now())
                    + options.not_before_lifetime;
                locked(&self.ends).insert(*sid, ends);
            }
            healthy.set_sid_not_before(sid, bound, options).await
        }

        add(self, healthy, sid, sid_entry) {
            let ends = locked(&self.ends).get(sid).copied();
            if ends
                .is_some_and(|ends| ends <= Timestamp::from_system_time(std::time::SystemTime::now()))
            {
                return Ok(());
            }
            healthy.add(sid, sid_entry).await
        }
    }
}

/// Tells whole seconds, and claims milliseconds.
#[derive(Default)]
pub(crate) struct TellsWholeSeconds;

fault! {
    impl TellsWholeSeconds {
        namespace(self, healthy) {
            let mut namespace = healthy.namespace().await?;
            namespace.time = Timestamp::from_secs(namespace.time.as_millis() / 1_000);
            Ok(namespace)
        }
    }
}

/// Frees locks so many milliseconds early, at so many hundredths of their lease.
#[derive(Default)]
pub(crate) struct FreesLocksEarly<const MILLIS: u64, const HUNDREDTHS: u32>;

fault! {
    impl[const MILLIS: u64, const HUNDREDTHS: u32] FreesLocksEarly<MILLIS, HUNDREDTHS> {
        acquire(self, healthy, at, mut options) {
            let early = Duration::from_millis(MILLIS);
            options.lease = (options.lease * HUNDREDTHS / 100).saturating_sub(early);
            healthy.acquire(at, options).await
        }
    }
}

/// Frees locks late, by so many milliseconds.
#[derive(Default)]
pub(crate) struct FreesLocksLate<const MILLIS: u64>;

fault! {
    impl[const MILLIS: u64] FreesLocksLate<MILLIS> {
        acquire(self, healthy, at, mut options) {
            options.lease += Duration::from_millis(MILLIS);
            healthy.acquire(at, options).await
        }
    }
}

/// Takes requests that are late, or refuses some that are in time, by so many milliseconds.
#[derive(Default)]
pub(crate) struct MisjudgesLateness<const LATER: bool, const MILLIS: u64>;

fault! {
    impl[const LATER: bool, const MILLIS: u64] MisjudgesLateness<LATER, MILLIS> {
        begin(self, healthy, account, mut session) {
            let by = Duration::from_millis(MILLIS);
            session.not_after = if LATER {
                session.not_after + by
            } else {
                session.not_after - by
            };
            healthy.begin(account, session).await
        }
    }
}
