//! Stores that do in several steps what is one, or in another order.

use token_cache_core::{
    AccountKey, BeginSession, CutoffBound, CutoffTime, EvictOptions, EvictTarget, Evicted,
    Invalidation, PutMode, ReadOptions, SessionRecord, SidKey,
};

use crate::{broken_backplane::backplane_of, fault::fault};

/// Publishes a sign-out before it evicts.
#[derive(Default)]
pub(crate) struct PublishesFirst;

fault! {
    impl PublishesFirst {
        evict(self, healthy, account, target, mut options) {
            let Some(origin) = options.publish.take() else {
                return healthy.evict(account, target, options).await;
            };
            let what = Invalidation::Accounts(vec![*account]);
            let published = backplane_of(healthy)?.publish(Some(origin), what).await?;
            let evicted = healthy.evict(account, target, options).await?;
            Ok(evicted.published(published))
        }
    }
}

/// Evicts one session after the other: without a pause, or with one (`PAUSES`).
#[derive(Default)]
pub(crate) struct EvictsOneByOne;

fault! {
    impl EvictsOneByOne {
        evict(self, healthy, account, target, options) {
            let mut ended = false;
            for record in healthy
                .sessions(account, ReadOptions::at(options.now))
                .await?
            {
                if target.ends(&record.session_id, record.sid.as_ref(), &record.times) {
                    let one = EvictTarget::Session(record.session_id);
                    let mut options = options;
                    options.publish = None;
                    ended |= healthy.evict(account, one, options).await?.ended;
                    // As a store does that sends a request for each.
                    tokio::task::yield_now().await;
                }
            }
            let mut evicted = healthy.evict(account, target, options).await?;
            evicted.ended |= ended;
            Ok(evicted)
        }
    }
}

/// Ends the sessions first, and sets its not-before time a little later.
#[derive(Default)]
pub(crate) struct SetsNotBeforeLast;

fault! {
    impl SetsNotBeforeLast {
        evict(self, healthy, account, target, options) {
            let records = healthy
                .sessions(account, ReadOptions::at(options.now))
                .await?;
            let mut evicted = Evicted::new(false);
            let ends = |record: &&SessionRecord| {
                target.ends(&record.session_id, record.sid.as_ref(), &record.times)
            };
            for record in records.iter().filter(ends) {
                let one = EvictTarget::Session(record.session_id);
                evicted.ended |= healthy.evict(account, one, options).await?.ended;
            }
            tokio::task::yield_now().await;
            // This sets the not-before time alone: the sessions that began meanwhile stay.
            let spared = healthy
                .sessions(account, ReadOptions::at(options.now))
                .await?;
            healthy.evict(account, target, options).await?;
            for record in spared.into_iter().filter(|record| ends(&record)) {
                let mut back = record.clone();
                back.times.requested_at = token_cache_core::Timestamp::MAX;
                back.times.auth_time = token_cache_core::Timestamp::MAX;
                let not_after = token_cache_core::Timestamp::MAX;
                let begin = BeginSession::new(back, not_after, options.now);
                healthy.begin(account, begin).await?;
            }
            Ok(evicted)
        }
    }
}

/// Releases the lock first, and stores a little later.
#[derive(Default)]
pub(crate) struct ReleasesFirst;

fault! {
    impl ReleasesFirst {
        write(self, healthy, at, entry, options) {
            if let Some(owner) = &options.releasing {
                healthy.release(at, owner).await?;
                tokio::task::yield_now().await;
            }
            healthy.write(at, entry, options).await
        }
    }
}

/// Reads the accounts of a `sid` first, and sets its not-before time a little later.
#[derive(Default)]
pub(crate) struct LooksBeforeItSetsNotBefore;

fault! {
    impl LooksBeforeItSetsNotBefore {
        set_sid_not_before(self, healthy, sid, bound, options) {
            let long_ago = CutoffBound::Time(CutoffTime::on_store_clock(
                token_cache_core::Timestamp::default(),
            ));
            let found = healthy.set_sid_not_before(sid, long_ago, options).await?;
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            healthy.set_sid_not_before(sid, bound, options).await?;
            Ok(found)
        }

        add(self, healthy, sid, sid_entry) {
            tokio::task::yield_now().await;
            healthy.add(sid, sid_entry).await
        }
    }
}

/// Displaces and supersedes before it looks whether the sign-in is refused.
#[derive(Default)]
pub(crate) struct SupersedesBeforeItRefuses;

fault! {
    impl SupersedesBeforeItRefuses {
        begin(self, healthy, account, session) {
            for session_id in &session.supersedes {
                let target = EvictTarget::Session(*session_id);
                let options = EvictOptions::at(session.now);
                healthy.evict(account, target, options).await?;
            }
            healthy.begin(account, session).await
        }
    }
}

/// Enters the account under its `sid` although it refuses it.
#[derive(Default)]
pub(crate) struct PointsAlthoughItRefuses {
    refused: std::sync::Mutex<std::collections::HashMap<SidKey, AccountKey>>,
}

fault! {
    impl PointsAlthoughItRefuses {
        add(self, healthy, sid, sid_entry) {
            let answer = healthy.add(sid, sid_entry).await;
            if answer.is_err() {
                let mut refused = self.refused.lock().unwrap();
                refused.insert(*sid, sid_entry.account);
            }
            answer
        }

        set_sid_not_before(self, healthy, sid, bound, options) {
            let mut added = healthy.set_sid_not_before(sid, bound, options).await?;
            added.accounts.extend(self.refused.lock().unwrap().get(sid));
            Ok(added)
        }
    }
}

/// Ends a millisecond more than a sign-out names.
#[derive(Default)]
pub(crate) struct EndsAMillisecondMore;

fault! {
    impl EndsAMillisecondMore {
        evict(self, healthy, account, target, options) {
            let target = match target {
                EvictTarget::Account(mut moment) => {
                    moment.at = moment.at + std::time::Duration::from_millis(1);
                    EvictTarget::Account(moment)
                }
                other => other,
            };
            healthy.evict(account, target, options).await
        }
    }
}

/// Writes unconditionally when the entry was never there.
#[derive(Default)]
pub(crate) struct UpdatesWhatIsNotThere;

fault! {
    impl UpdatesWhatIsNotThere {
        write(self, healthy, at, entry, mut options) {
            let read = ReadOptions::at(options.now);
            if matches!(options.mode, PutMode::Update(_)) && healthy.read(at, read).await?.is_none() {
                options.mode = PutMode::Overwrite;
            }
            healthy.write(at, entry, options).await
        }
    }
}
