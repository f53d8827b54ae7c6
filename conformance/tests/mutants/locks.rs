//! Faults of refresh locks, and of refused refreshes.

use std::{collections::HashMap, sync::Mutex, sync::PoisonError};

use token_cache_core::{Acquired, CutoffTime, EntryAddress, EvictTarget, LockOwner, ReadOptions};

use crate::fault::fault;

/// Ends all sessions of the account with the one whose refresh was refused.
#[derive(Default)]
pub(crate) struct EndsTheAccount;

fault! {
    impl EndsTheAccount {
        end_if_version(self, healthy, at, version, options) {
            let locks = healthy;
            let ended = locks.end_if_version(at, version, options).await?;
            if ended {
                let target = EvictTarget::Account(CutoffTime::on_store_clock(options.now));
                healthy.evict(at.account(), target, options).await?;
            }
            Ok(ended)
        }
    }
}

/// Ends the session of a refused refresh without a look at the version.
#[derive(Default)]
pub(crate) struct EndsWhateverTheVersion;

fault! {
    impl EndsWhateverTheVersion {
        end_if_version(self, healthy, at, _, options) {
            let target = EvictTarget::Session(*at.session_id());
            let evicted = healthy.evict(at.account(), target, options).await?;
            Ok(evicted.ended)
        }
    }
}

/// Gives a lock to every owner that asks.
#[derive(Default)]
pub(crate) struct GivesLocksToAll;

fault! {
    impl GivesLocksToAll {
        acquire(self, healthy, at, options) {
            Ok(match healthy.acquire(at, options).await? {
                Acquired::Busy(_) => Acquired::Held,
                other => other,
            })
        }
    }
}

/// Looks at the version in a step of its own, before it ends the session of a refused refresh.
#[derive(Default)]
pub(crate) struct LooksThenEnds;

fault! {
    impl LooksThenEnds {
        end_if_version(self, healthy, at, version, options) {
            let there = healthy.read(at, ReadOptions::at(options.now)).await?;
            if there.map(|entry| entry.version()) != Some(version) {
                return Ok(false);
            }
            tokio::task::yield_now().await;
            let target = EvictTarget::Session(*at.session_id());
            Ok(healthy.evict(at.account(), target, options).await?.ended)
        }
    }
}

/// Releases a lock for any owner.
#[derive(Default)]
pub(crate) struct ReleasesForAnyOwner {
    holders: Mutex<HashMap<EntryAddress, LockOwner>>,
}

fault! {
    impl ReleasesForAnyOwner {
        acquire(self, healthy, at, options) {
            let acquired = healthy.acquire(at, options).await?;
            if acquired == Acquired::Held {
                self.holders
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(*at, options.owner);
            }
            Ok(acquired)
        }

        release(self, healthy, at, _) {
            let holder = self
                .holders
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(at);
            match holder {
                Some(holder) => healthy.release(at, &holder).await,
                None => Ok(()),
            }
        }
    }
}
