use std::time::Duration;

use crate::{
    AccountKey, CutoffTime, EvictOptions, EvictTarget, Evicted, NotBeforeScope, Result, Timestamp,
    TokenStore,
};

/// Evicts one account after the other. It is [`SidIndex::evict_accounts`](crate::SidIndex::evict_accounts) for a store that cannot evict
/// many accounts in one request.
///
/// # Errors
/// The result has the error of each eviction that failed.
pub async fn evict_each(
    store: &dyn TokenStore,
    accounts: &[AccountKey],
    at: Timestamp,
    not_before: NotBeforeScope,
    mut options: EvictOptions,
) -> Vec<Result<Evicted>> {
    if not_before == NotBeforeScope::Issuer {
        // The issuer's not-before time refuses the sign-ins that an account's would refuse.
        options.not_before_lifetime = Duration::ZERO;
    }
    let target = EvictTarget::Account(CutoffTime::on_store_clock(at));
    let mut evicted = Vec::with_capacity(accounts.len());
    for account in accounts {
        evicted.push(store.evict(account, target, options).await);
    }
    evicted
}
