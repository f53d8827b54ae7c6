//! Deletes what sign-outs leave.
//!
//! A sign-out is one request because it visits no entry: those of an ended session can't be addressed any more, and lie there
//! until somebody deletes them. The table's own expiry does so for nothing, within days of the session's end. A sweeper does it
//! within a time that the operator sets, at the price of reading the table.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Weak,
    time::Duration,
};

use token_cache_core::{Result, Timestamp};

use crate::{
    DynamoDbStore, account_item,
    client::{Expression, Idempotency, Item, Operation, ReturnValues},
    entry::seconds,
    keys::{self, Key, SINGLETON_SORT_KEY},
    store::Inner,
};

const SWEEP: &str = "sweep the table";

/// How long one page may take: reading it, the heads of its accounts, and deleting what is dead of it.
const PAGE_TIME: Duration = Duration::from_mins(1);

/// How a table is swept.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SweepOptions {
    /// How often. What a sign-out left is deleted at most 9/8 of this (servers look at an eighth of it whose turn it is) and the
    /// time that one pass takes after it; twice as long where the server that was sweeping died, or its pass failed.
    pub every: Duration,
    /// How many read units a second a pass may take. A table of 1 GB is 262,144 of them.
    pub read_units: u32,
}

impl SweepOptions {
    /// How many read units a second a pass may take, unless said otherwise.
    pub const READ_UNITS: u32 = 100;

    /// Every so often, with 100 read units a second.
    pub const fn every(every: Duration) -> Self {
        Self {
            every,
            read_units: Self::READ_UNITS,
        }
    }

    /// With so many read units a second.
    pub const fn read_units(mut self, read_units: u32) -> Self {
        self.read_units = read_units;
        self
    }
}

/// What a pass over the table did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SweepReport {
    /// How many entries, locks and background sessions it looked at.
    pub visited: usize,
    /// How many of them were of ended sessions, and are deleted.
    pub deleted: usize,
}

impl DynamoDbStore {
    /// Passes over the whole table once, and deletes the entries, locks and background sessions of sessions that have ended.
    ///
    /// An operator's act, which needs an operator's permissions (`dynamodb:Scan`, `dynamodb:BatchWriteItem`). It never deletes what
    /// is of a living session, and may run while servers work, and on several of them. What is not ours stays.
    ///
    /// # Errors
    /// The store's own failures; what was deleted until then is deleted, and another pass goes on with the rest.
    pub async fn sweep(&self, options: SweepOptions) -> Result<SweepReport> {
        Box::pin(self.inner().sweep(options)).await
    }

    /// Sweeps for as long as the store is in use. Any number of servers may: one of them takes each turn.
    pub fn sweep_in_background(&self, options: SweepOptions) {
        tokio::spawn(run(self.downgrade(), options));
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
            // Read after the items: a session that began meanwhile was in its head before it had any.
            let account_ops: BTreeSet<&str> = items.iter().map(|key| key.pk.as_str()).collect();
            let account_ops: Vec<Key> = account_ops.into_iter().map(account_item_key).collect();
            // A head is one unit, seldom more.
            let cost = page.cost + u32::try_from(account_ops.len()).map_or(f64::MAX, f64::from);
            let account_ops = self.client.get_all(operation, &account_ops).await?;
            let orphans = orphans(&items, &account_ops, self.client.now()?.earliest);
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

    /// Whether it is this server's turn: one in the fleet sweeps at a time.
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

/// Sweeps for as long as the store is in use. A pass that fails is left to the next.
async fn run(store: Weak<Inner>, options: SweepOptions) {
    loop {
        // A fraction of the time, so that the turn of a server that died is taken soon.
        tokio::time::sleep(options.every / 8).await;
        let Some(inner) = store.upgrade() else { return };
        if matches!(inner.claim_turn(options.every).await, Ok(true)) {
            let _ = inner.sweep(options).await;
        }
    }
}

fn account_item_key(partition: &str) -> Key {
    Key {
        pk: partition.to_owned(),
        sk: SINGLETON_SORT_KEY.to_owned(),
    }
}

/// Those of the items whose sessions do not live, as the heads tell that were read after them.
fn orphans(items: &[Key], account_ops: &[Item], now: Timestamp) -> Vec<Key> {
    let account_ops: HashMap<&str, &Item> = account_ops
        .iter()
        .filter_map(|account_item| Some((account_item.text("pk")?, account_item)))
        .collect();
    let is_orphan = |key: &&Key| {
        let Some(session_id) = keys::session_of_sort_key(&key.sk) else {
            return false;
        };
        match account_ops
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
