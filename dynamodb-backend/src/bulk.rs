//! Evictions of many accounts: one request for each, many at a time.

use futures_util::{StreamExt, stream};
use token_cache_core::{
    AccountKey, CutoffTime, EvictOptions, EvictTarget, Evicted, Result, Timestamp,
};

use crate::store::Inner;

/// The number of concurrent requests, and so of connections.
const CONCURRENCY: usize = 64;

/// Evicts accounts at a time on the store's clock, and returns the results in order.
pub(crate) async fn evict(
    inner: &Inner,
    accounts: &[AccountKey],
    at: Timestamp,
    sets_not_before: bool,
    options: EvictOptions,
) -> Vec<Result<Evicted>> {
    let target = EvictTarget::Account(CutoffTime::on_store_clock(at));
    stream::iter(accounts.to_vec())
        .map(|account| async move {
            inner
                .evict(&account, target, options, sets_not_before)
                .await
        })
        .buffered(CONCURRENCY)
        .collect()
        .await
}
