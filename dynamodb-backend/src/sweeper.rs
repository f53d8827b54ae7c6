//! Deletes the items of ended sessions.
//!
//! A sign-out is one request because it does not touch entries. Those of an ended session can no longer be addressed, and remain in the
//! table. The time-to-live deletes them at no cost, within days of the end of the session. A sweeper deletes them within a configured
//! time, at the cost of reading the table.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Weak,
    time::Duration,
};

use token_cache_core::{Error, Result, Timestamp, telemetry::warn};

use crate::{
    DynamoDbStore, account_item,
    client::{Expression, Idempotency, Item, Operation, ReturnValues},
    entry::seconds,
    keys::{self, Key, SINGLETON_SORT_KEY},
    store::Inner,
};

const SWEEP: &str = "sweep the table";

/// The limit for one page: reading it and the account items, and deleting the items of ended sessions.
const PAGE_TIME: Duration = Duration::from_mins(1);

/// The least interval between two sweeps in the background. Each reads the whole table, so without it a zero would never rest.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);

/// The interval and the speed of a sweep. A sweep scans the table and deletes the items of ended sessions earlier than the table's
/// time-to-live does.
///
/// Create it with [`every`](Self::every), and pass it to [`DynamoDbStore::sweep`] or [`DynamoDbStore::sweep_in_background`]. For a store
/// that sweeps in the background after [`connect`](DynamoDbStore::connect), set [`DynamoDbConfig::sweep`](crate::DynamoDbConfig::sweep)
/// instead.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SweepOptions {
    /// The interval between two scans by [`sweep_in_background`](DynamoDbStore::sweep_in_background), in the whole fleet. Set at least a
    /// minute, since each scan reads the whole table. `sweep_in_background` refuses less than 100 milliseconds with
    /// [`Config`](token_cache_core::ErrorKind::Config). A single [`sweep`](DynamoDbStore::sweep) ignores it.
    ///
    /// The items of a session are deleted at most 9/8 of the interval after the session's sign-out, plus the time of one scan. If the app
    /// server that scans dies, or its scan fails, the deletion takes up to twice as long.
    pub every: Duration,
    /// The speed of a scan: the read units of the table that it may consume per second, on average. A read unit is a strongly consistent
    /// read of 4 KB. Zero counts as 1. The default is 100. Scanning a table of 1 GB consumes 262,144 read units, which takes 44 minutes at
    /// this speed.
    pub read_units: u32,
}

impl SweepOptions {
    /// The default value of the field [`read_units`](Self::read_units): a scan may consume 100 read units per second, which are 400 KB of
    /// the table.
    pub const READ_UNITS: u32 = 100;

    /// Creates the options with the interval `every` between two scans. On average, a scan consumes at most
    /// [`READ_UNITS`](Self::READ_UNITS) (100) read units of the table per second. [`read_units`](Self::read_units) sets another speed. The
    /// interval is checked by [`sweep_in_background`](DynamoDbStore::sweep_in_background), which refuses less than 100 milliseconds.
    pub const fn every(every: Duration) -> Self {
        Self {
            every,
            read_units: Self::READ_UNITS,
        }
    }

    /// Sets the speed of a scan: the read units of the table that it may consume per second, on average. A read unit is a strongly
    /// consistent read of 4 KB. The default is 100, and zero counts as 1.
    pub const fn read_units(mut self, read_units: u32) -> Self {
        self.read_units = read_units;
        self
    }
}

/// The result of one scan of the table by [`DynamoDbStore::sweep`]: the numbers of items that it read and deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SweepReport {
    /// The number of items that the sweep read: entries, refresh locks and background sessions, of live and of ended sessions.
    pub visited: usize,
    /// The number of items that the sweep deleted, because they belonged to ended sessions. They are also counted in
    /// [`visited`](Self::visited).
    pub deleted: usize,
}

impl DynamoDbStore {
    /// Scans the whole table once, and deletes the entries, refresh locks and background sessions of ended sessions. It returns when the
    /// scan has finished. At the default speed, a table of 1 GB takes 44 minutes. Of `options`, only the speed
    /// ([`read_units`](SweepOptions::read_units)) is used.
    ///
    /// Call it from a job of your own, in place of [`DynamoDbConfig::sweep`](crate::DynamoDbConfig::sweep). It needs the permissions
    /// `dynamodb:Scan` and `dynamodb:BatchWriteItem`. It never deletes an item of a live session or of another application. Several app
    /// servers may call it at the same time.
    ///
    /// # Errors
    /// The errors of the store, such as [`Denied`](token_cache_core::ErrorKind::Denied) if a permission is missing. Items that were deleted
    /// before the error stay deleted. Call the method again to delete the remaining items of ended sessions.
    pub async fn sweep(&self, options: SweepOptions) -> Result<SweepReport> {
        Box::pin(self.inner().sweep(options)).await
    }

    /// Starts a task that deletes the items of ended sessions, as [`sweep`](Self::sweep) does, at the interval `options.every`. The method
    /// returns at once. Outside a tokio runtime it panics. [`connect`](Self::connect) starts this task itself if
    /// [`DynamoDbConfig::sweep`](crate::DynamoDbConfig::sweep) is set: call the method only if that field is `None`.
    ///
    /// The task ends when the last clone of the store is dropped. All app servers may start it: for each interval, one of them sweeps. A
    /// failed sweep is logged at WARN (`sweep_failed`), for example if a permission is missing. The next sweep deletes the remaining items
    /// of ended sessions.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config) if `options.every` is under 100 milliseconds. No task is started then.
    pub fn sweep_in_background(&self, options: SweepOptions) -> Result<()> {
        if options.every < LEAST_INTERVAL {
            return Err(Error::config(
                SWEEP,
                format!(
                    "the interval between two sweeps is {:?}; it must be at least {LEAST_INTERVAL:?}, and a minute or more in production",
                    options.every
                ),
            ));
        }
        tokio::spawn(run(self.downgrade(), options));
        Ok(())
    }
}

impl Inner {
    async fn sweep(&self, options: SweepOptions) -> Result<SweepReport> {
        let expression = Expression::condition("begins_with(#pk, :accounts) AND #sk <> :head")
            .value(":accounts", self.keys.account_prefix(None).as_str())
            .value(":head", SINGLETON_SORT_KEY);
        let mut swept = SweepReport::default();
        let mut from = None;
        loop {
            let operation = Operation::within(SWEEP, PAGE_TIME);
            let page = self
                .client
                .scan(operation, &expression, None, from.as_ref())
                .await?;
            let items: Vec<Key> = page.items.iter().filter_map(Item::key).collect();
            // Read after the items: a new session is in its account item before it has items.
            let partitions: BTreeSet<&str> = items.iter().map(|key| key.pk.as_str()).collect();
            let account_keys: Vec<Key> = partitions.into_iter().map(account_item_key).collect();
            // An account item is one read unit, rarely more.
            let cost = page.cost + u32::try_from(account_keys.len()).map_or(f64::MAX, f64::from);
            let account_items = self.client.get_all(operation, &account_keys).await?;
            let orphans = orphans(&items, &account_items, self.client.now()?.earliest);
            self.client.delete_all(operation, &orphans).await?;
            swept.visited += items.len();
            swept.deleted += orphans.len();
            from = page.next;
            if from.is_none() {
                return Ok(swept);
            }
            let units = f64::from(options.read_units.max(1));
            tokio::time::sleep(Duration::from_secs_f64(cost / units)).await;
        }
    }

    /// Claims the next pass, and returns whether this server got it: one server sweeps at a time.
    async fn claim_turn(&self, every: Duration) -> Result<bool> {
        let operation = self.client.start(SWEEP);
        let now = self.client.now()?.latest;
        let next = now + every;
        let expression = Expression::set("SET #x = :next, #exp = :exp")
            .only_if("attribute_not_exists(#x) OR #x <= :now")
            .value(":next", next.as_millis())
            .value(":now", now.as_millis())
            .value(":exp", seconds(next + every));
        let key = self.keys.sweeper();
        let taken = self.client.update(
            operation,
            Idempotency::NonIdempotent,
            &key,
            expression,
            ReturnValues::Nothing,
        );
        Ok(taken.await?.is_ok())
    }
}

/// Sweeps while the store is in use. After a failure it waits for the next pass.
async fn run(store: Weak<Inner>, options: SweepOptions) {
    loop {
        // A fraction of the interval, so that another server soon takes over from one that died.
        tokio::time::sleep(options.every / 8).await;
        let Some(inner) = store.upgrade() else { return };
        let swept = match inner.claim_turn(options.every).await {
            Ok(true) => inner.sweep(options).await.err(),
            Ok(false) => None,
            Err(error) => Some(error),
        };
        if let Some(error) = swept {
            warn(
                "sweep_failed",
                format_args!(
                    "items of ended sessions were not deleted: {error}; the next sweep deletes them"
                ),
            );
        }
    }
}

fn account_item_key(partition: &str) -> Key {
    Key {
        pk: partition.to_owned(),
        sk: SINGLETON_SORT_KEY.to_owned(),
    }
}

/// Returns the items whose sessions are not in the account items, which were read later.
fn orphans(items: &[Key], account_items: &[Item], now: Timestamp) -> Vec<Key> {
    let by_partition: HashMap<&str, &Item> = account_items
        .iter()
        .filter_map(|account_item| Some((account_item.text("pk")?, account_item)))
        .collect();
    let is_orphan = |key: &&Key| {
        let Some(session_id) = keys::session_of_sort_key(&key.sk) else {
            return false;
        };
        match by_partition
            .get(key.pk.as_str())
            .map(|item| account_item::session(item, &session_id))
        {
            None | Some(Ok(None)) => true,
            Some(Ok(Some(record))) => record.is_over(now),
            Some(Err(())) => false,
        }
    };
    items.iter().filter(is_orphan).cloned().collect()
}
