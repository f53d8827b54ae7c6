//! Faults of reads and writes.

use std::{collections::HashMap, sync::Mutex, sync::PoisonError};

use token_cache_core::{
    AccountKey, BeginSession, Entry, EntryAddress, Error, PutMode, PutResult, ReadOptions,
    SessionRecord, SessionTimes, Timestamp,
};

use crate::fault::fault;

/// Looks whether the session lives, and writes in a second step that asks nothing.
#[derive(Default)]
pub(crate) struct ChecksThenWrites;

fault! {
    impl ChecksThenWrites {
        write(self, healthy, at, entry, options) {
            let record = healthy
                .session(at.account(), at.session_id(), ReadOptions::at(options.now))
                .await?;
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            match healthy.write(at, entry.clone(), options.clone()).await {
                Err(error) if error.is_signed_out() => {}
                answer => return answer,
            }
            let times = SessionTimes {
                requested_at: Timestamp::MAX,
                auth_time: Timestamp::MAX,
            };
            let record = SessionRecord::new(record.session_id, None, times, record.ends_at);
            let session = BeginSession::new(record, Timestamp::MAX, options.now);
            healthy.begin(at.account(), session).await?;
            healthy.write(at, entry, options).await
        }
    }
}

/// Reads what has expired.
#[derive(Default)]
pub(crate) struct IgnoresEntryExpiry;

fault! {
    impl IgnoresEntryExpiry {
        read(self, healthy, at, options) {
            healthy
                .session(at.account(), at.session_id(), options)
                .await?;
            healthy
                .read(at, ReadOptions::at(Timestamp::from_millis(0)))
                .await
        }
    }
}

/// Lets a session live on past its end.
#[derive(Default)]
pub(crate) struct IgnoresSessionEnd;

fault! {
    impl IgnoresSessionEnd {
        session(self, healthy, account, session_id, mut options) {
            options.now = Timestamp::from_millis(0);
            healthy.session(account, session_id, options).await
        }

        write(self, healthy, at, entry, mut options) {
            options.now = Timestamp::from_millis(0);
            healthy.write(at, entry, options).await
        }
    }
}

/// Writes over any version.
#[derive(Default)]
pub(crate) struct IgnoresVersions;

fault! {
    impl IgnoresVersions {
        write(self, healthy, at, entry, mut options) {
            options.mode = PutMode::Overwrite;
            healthy.write(at, entry, options).await
        }
    }
}

/// Lets an account's record expire with its first entry.
#[derive(Default)]
pub(crate) struct LetsEntriesEndAll {
    ends: Mutex<HashMap<AccountKey, Timestamp>>,
}

fault! {
    impl LetsEntriesEndAll {
        session(self, healthy, account, session_id, options) {
            let now = healthy.namespace().await?.time;
            let ends = self
                .ends
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(account)
                .copied();
            if ends.is_some_and(|ends| ends <= now) {
                return Err(Error::signed_out("read a session"));
            }
            healthy.session(account, session_id, options).await
        }

        write(self, healthy, at, entry, options) {
            let expires_at = entry.expires_at();
            let written = healthy.write(at, entry, options).await?;
            let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
            let first = ends.entry(*at.account()).or_insert(expires_at);
            *first = expires_at.min(*first);
            Ok(written)
        }
    }
}

/// Compares versions in a step of its own, before it writes.
#[derive(Default)]
pub(crate) struct ReadsThenWrites;

fault! {
    impl ReadsThenWrites {
        write(self, healthy, at, entry, mut options) {
            let there = healthy.read(at, ReadOptions::at(options.now)).await?;
            let there = there.map(|entry| entry.version());
            let may_replace = match options.mode {
                PutMode::Overwrite => true,
                PutMode::Create => there.is_none(),
                PutMode::Update(version) => there == Some(version),
            };
            if !may_replace && there != Some(entry.version()) {
                return Ok(PutResult::PreconditionFailed);
            }
            tokio::task::yield_now().await;
            options.mode = PutMode::Overwrite;
            healthy.write(at, entry, options).await
        }
    }
}

/// Writes to whatever address it is given: a set after a delete, as plain caches do.
#[derive(Default)]
pub(crate) struct Resurrects;

fault! {
    impl Resurrects {
        write(self, healthy, at, entry, options) {
            match healthy.write(at, entry.clone(), options.clone()).await {
                Err(error) if error.is_signed_out() => {}
                answer => return answer,
            }
            // The session is later than every not-before time, and ends with the entry.
            let times = SessionTimes {
                requested_at: Timestamp::MAX,
                auth_time: Timestamp::MAX,
            };
            let record = SessionRecord::new(*at.session_id(), None, times, entry.expires_at());
            let session = BeginSession::new(record, Timestamp::MAX, options.now);
            healthy.begin(at.account(), session).await?;
            healthy.write(at, entry, options).await
        }
    }
}

/// Keeps what it read, and serves it without a check.
#[derive(Default)]
pub(crate) struct ServesCachedReads {
    copies: Mutex<HashMap<EntryAddress, Entry>>,
}

fault! {
    impl ServesCachedReads {
        read(self, healthy, at, options) {
            if let Some(copy) = self
                .copies
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(at)
            {
                return Ok(Some(copy.clone()));
            }
            let read = healthy.read(at, options).await?;
            if let Some(entry) = &read {
                self.copies
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(*at, entry.clone());
            }
            Ok(read)
        }
    }
}

/// Says that a refused write was stored.
#[derive(Default)]
pub(crate) struct SwallowsRefusals;

fault! {
    impl SwallowsRefusals {
        write(self, healthy, at, entry, options) {
            match healthy.write(at, entry, options).await {
                Err(error) if error.is_signed_out() => Ok(PutResult::Stored),
                answer => answer,
            }
        }
    }
}

/// Reports an empty value as a miss.
#[derive(Default)]
pub(crate) struct TakesEmptyForAMiss;

fault! {
    impl TakesEmptyForAMiss {
        read(self, healthy, at, options) {
            Ok(healthy
                .read(at, options)
                .await?
                .filter(|entry| !entry.stored().is_empty()))
        }
    }
}

/// Reports an entry that it could not read as a miss.
#[derive(Default)]
pub(crate) struct TakesErrorsForMisses;

fault! {
    impl TakesErrorsForMisses {
        read(self, healthy, at, options) {
            match healthy.read(at, options).await {
                Err(error) if !error.is_signed_out() => Ok(None),
                answer => answer,
            }
        }
    }
}
