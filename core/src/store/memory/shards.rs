use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::partition::Partition;
use crate::{AccountKey, IssuerKey, Timestamp};

const SHARDS: usize = 64;

/// The number of steps on a shard between two sweeps of expired data.
const SWEEP_EVERY: usize = 1_024;

/// The partitions, distributed over locks by account, and their total weight.
pub(super) struct Shards {
    locked: Vec<Mutex<Shard>>,
    weight: AtomicUsize,
    weight_limit: usize,
}

#[derive(Default)]
struct Shard {
    partitions: HashMap<AccountKey, Partition>,
    steps: usize,
}

impl Shards {
    pub(super) fn new(weight_limit: usize) -> Self {
        Self {
            locked: (0..SHARDS).map(|_| Mutex::default()).collect(),
            weight: AtomicUsize::new(0),
            weight_limit,
        }
    }

    pub(super) fn weight(&self) -> usize {
        self.weight.load(Ordering::Relaxed)
    }

    /// Runs one atomic step on an account's partition. Drops the partition if it is empty afterwards.
    pub(super) fn with<T>(
        &self,
        account: &AccountKey,
        now: Timestamp,
        step: impl FnOnce(&mut Partition) -> T,
    ) -> T {
        let index = usize::from(account.subject()[0]) % SHARDS;
        let mut shard = self.locked[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        shard.steps += 1;
        if shard.steps.is_multiple_of(SWEEP_EVERY) {
            self.sweep(&mut shard, now);
        }
        let mut partition = shard.partitions.remove(account).unwrap_or_default();
        let before = partition.weight();
        let answer = step(&mut partition);
        self.shift(before, partition.weight());
        if !partition.is_empty(now) {
            shard.partitions.insert(*account, partition);
        }
        answer
    }

    /// Returns whether `bytes` more are within the limit, after a sweep if necessary.
    pub(super) fn make_room(&self, bytes: usize, now: Timestamp) -> bool {
        let fits = || self.weight().saturating_add(bytes) <= self.weight_limit;
        if !fits() {
            for shard in &self.locked {
                self.sweep(
                    &mut shard.lock().unwrap_or_else(PoisonError::into_inner),
                    now,
                );
            }
        }
        fits()
    }

    /// Returns the accounts of one shard, and whether there are further shards. Returns `None` past the last shard.
    pub(super) fn accounts(
        &self,
        shard: usize,
        issuer: Option<&IssuerKey>,
    ) -> Option<(Vec<AccountKey>, bool)> {
        let held = self
            .locked
            .get(shard)?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let accounts = held
            .partitions
            .iter()
            .filter(|(account, partition)| {
                partition.has_sessions() && issuer.is_none_or(|issuer| account.issuer() == issuer)
            })
            .map(|(account, _)| *account)
            .collect();
        Some((accounts, shard + 1 < SHARDS))
    }

    fn sweep(&self, shard: &mut Shard, now: Timestamp) {
        shard.partitions.retain(|_, partition| {
            let before = partition.weight();
            partition.prune(now);
            self.shift(before, partition.weight());
            !partition.is_empty(now)
        });
    }

    fn shift(&self, before: usize, after: usize) {
        if after >= before {
            self.weight.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.weight.fetch_sub(before - after, Ordering::Relaxed);
        }
    }
}
