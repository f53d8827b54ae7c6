//! Faults of the sid index and of background sessions.

use std::{collections::HashMap, sync::Mutex, sync::PoisonError, time::SystemTime};

use token_cache_core::{AccountKey, BackgroundKey, BackgroundSession, SidKey, Timestamp};

use crate::fault::fault;

/// Lets sign-ins in under a `sid` that has ended.
#[derive(Default)]
pub(crate) struct ForgetsEndedSids;

fault! {
    impl ForgetsEndedSids {
        add(self, healthy, sid, sid_entry) {
            match healthy.add(sid, sid_entry).await {
                Err(error) if error.is_signed_out() => Ok(()),
                answer => answer,
            }
        }
    }
}

/// Keeps background sessions apart from the sessions they are of.
#[derive(Default)]
pub(crate) struct KeepsBackgroundSessions {
    background_sessions: Mutex<HashMap<(AccountKey, BackgroundKey), Vec<BackgroundSession>>>,
}

fault! {
    impl KeepsBackgroundSessions {
        keep(self, healthy, account, name, background_session, options) {
            healthy
                .keep(account, name, background_session.clone(), options)
                .await?;
            let mut background_sessions = self
                .background_sessions
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            background_sessions
                .entry((*account, *name))
                .or_default()
                .insert(0, background_session);
            Ok(())
        }

        find(self, _, account, name, _) {
            let background_sessions = self
                .background_sessions
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Ok(background_sessions
                .get(&(*account, *name))
                .cloned()
                .unwrap_or_default())
        }
    }
}

/// Keeps the account that came last under a `sid`.
#[derive(Default)]
pub(crate) struct KnowsOneAccountASid {
    last: Mutex<HashMap<SidKey, AccountKey>>,
}

fault! {
    impl KnowsOneAccountASid {
        add(self, healthy, sid, sid_entry) {
            healthy.add(sid, sid_entry).await?;
            self.last
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(*sid, sid_entry.account);
            Ok(())
        }

        set_sid_not_before(self, healthy, sid, bound, options) {
            let mut added = healthy.set_sid_not_before(sid, bound, options).await?;
            let last = self
                .last
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(sid)
                .copied();
            added.accounts.retain(|account| Some(*account) == last);
            Ok(added)
        }
    }
}

/// Ends its list of accounts after the first page.
#[derive(Default)]
pub(crate) struct ListsOnePage;

fault! {
    impl ListsOnePage {
        accounts(self, healthy, scan) {
            let mut page = healthy.accounts(scan).await?;
            page.next = None;
            Ok(page)
        }
    }
}

/// Lets the entry of a `sid` expire with the session that came last.
#[derive(Default)]
pub(crate) struct ShortensItsIndex {
    ends: Mutex<HashMap<SidKey, Timestamp>>,
}

fault! {
    impl ShortensItsIndex {
        add(self, healthy, sid, sid_entry) {
            healthy.add(sid, sid_entry).await?;
            self.ends
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(*sid, sid_entry.ends_at);
            Ok(())
        }

        set_sid_not_before(self, healthy, sid, bound, options) {
            let mut added = healthy.set_sid_not_before(sid, bound, options).await?;
            let ends_at = self
                .ends
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(sid)
                .copied();
            if ends_at.is_some_and(|ends_at| ends_at <= Timestamp::from_system_time(SystemTime::now()))
            {
                added.accounts.clear();
            }
            Ok(added)
        }
    }
}
