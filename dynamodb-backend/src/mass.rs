//! Many accounts at once: a request for each, many of them under way.

use futures_util::{StreamExt, stream};
use token_cache_core::{
    AccountKey, CutoffTime, EvictOptions, EvictTarget, Evicted, Result, Timestamp,
};

use crate::store::Inner;

/// How many requests are under way: the connections to the service are as many.
const CONCURRENCY: usize = 64;

/// Cuts accounts at a moment of the store's clock, and answers in their order.
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
