//! Faults of not-before times.

use std::{
    collections::HashMap, collections::HashSet, sync::Mutex, sync::PoisonError, time::Duration,
};

use token_cache_core::{
    AccountKey, CutoffClock, CutoffTime, Error, EvictTarget, ReadOptions, SidKey,
};

use crate::fault::fault;

/// Returns no accounts for a `sid` whose not-before time was set before: it returned them the first time.
#[derive(Default)]
pub(crate) struct AnswersWithItsNotBefore {
    marked: Mutex<HashSet<SidKey>>,
}

fault! {
    impl AnswersWithItsNotBefore {
        set_sid_not_before(self, healthy, sid, bound, options) {
            let mut added = healthy.set_sid_not_before(sid, bound, options).await?;
            if !self
                .marked
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(*sid)
            {
                added.accounts.clear();
            }
            Ok(added)
        }
    }
}

/// Sets no not-before times when many accounts are signed out at once.
#[derive(Default)]
pub(crate) struct BatchesWithoutNotBefore;

fault! {
    impl BatchesWithoutNotBefore {
        evict_accounts(self, healthy, accounts, at, not_before, mut options) {
            options.not_before_lifetime = Duration::ZERO;
            healthy
                .evict_accounts(accounts, at, not_before, options)
                .await
        }
    }
}

/// Sets no not-before time of an account.
#[derive(Default)]
pub(crate) struct ForgetsLateSignIns;

fault! {
    impl ForgetsLateSignIns {
        evict(self, healthy, account, target, mut options) {
            options.not_before_lifetime = Duration::ZERO;
            healthy.evict(account, target, options).await
        }
    }
}

/// Sets no not-before time for sessions without a `sid`.
#[derive(Default)]
pub(crate) struct ForgetsSessionsWithoutSid;

fault! {
    impl ForgetsSessionsWithoutSid {
        evict(self, healthy, account, target, mut options) {
            if matches!(target, EvictTarget::SidOrWithoutSid { .. }) {
                options.not_before_lifetime = Duration::ZERO;
            }
            healthy.evict(account, target, options).await
        }
    }
}

/// Takes cutoff times on the provider's clock for times on its own clock.
#[derive(Default)]
pub(crate) struct HasOneClock;

fault! {
    impl HasOneClock {
        evict(self, healthy, account, target, options) {
            let target = match target {
                EvictTarget::Account(moment) => {
                    EvictTarget::Account(CutoffTime::on_store_clock(moment.at))
                }
                other => other,
            };
            healthy.evict(account, target, options).await
        }
    }
}

/// Keeps one not-before time per account, on whichever clock it is.
#[derive(Default)]
pub(crate) struct HasOneNotBefore {
    not_before_times: Mutex<HashMap<AccountKey, CutoffTime>>,
}

fault! {
    impl HasOneNotBefore {
        begin(self, healthy, account, session) {
            let times = session.record.times;
            let not_before_times = self
                .not_before_times
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let refused = not_before_times
                .iter()
                .any(|(marked, moment)| marked == account && times.is_not_after(*moment));
            if refused {
                return Err(Error::signed_out("begin a session"));
            }
            healthy.begin(account, session).await
        }

        evict(self, healthy, account, target, mut options) {
            if let EvictTarget::Account(moment) = target {
                self.not_before_times
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(*account, moment);
                options.not_before_lifetime = Duration::ZERO;
            }
            healthy.evict(account, target, options).await
        }
    }
}

/// Reads no issuer's not-before time.
#[derive(Default)]
pub(crate) struct LetsEndedIssuersIn;

fault! {
    impl LetsEndedIssuersIn {
        check_issuer(self, _, _, _, _) {
            Ok(())
        }
    }
}

/// Keeps the not-before time that was set last, even if the other is later.
#[derive(Default)]
pub(crate) struct LowersNotBefore {
    not_before_times: Mutex<HashMap<(AccountKey, CutoffClock), CutoffTime>>,
}

fault! {
    impl LowersNotBefore {
        begin(self, healthy, account, session) {
            let times = session.record.times;
            let not_before_times = self
                .not_before_times
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let refused = not_before_times
                .iter()
                .any(|((marked, _), moment)| marked == account && times.is_not_after(*moment));
            if refused {
                return Err(Error::signed_out("begin a session"));
            }
            healthy.begin(account, session).await
        }

        evict(self, healthy, account, target, mut options) {
            if let EvictTarget::Account(moment) = target {
                self.not_before_times
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert((*account, moment.clock), moment);
                options.not_before_lifetime = Duration::ZERO;
            }
            healthy.evict(account, target, options).await
        }
    }
}

/// Sets a not-before time only if there was a session to end.
#[derive(Default)]
pub(crate) struct SetsNotBeforeOfKnownAccountsOnly;

fault! {
    impl SetsNotBeforeOfKnownAccountsOnly {
        evict(self, healthy, account, target, mut options) {
            if healthy
                .sessions(account, ReadOptions::at(options.now))
                .await?
                .is_empty()
            {
                options.not_before_lifetime = Duration::ZERO;
            }
            healthy.evict(account, target, options).await
        }
    }
}
