use async_trait::async_trait;
use token_cache_core::{
    AccountCursor, AccountKey, AccountListOptions, AccountPage, CutoffBound, CutoffTime, Error,
    EvictOptions, EvictTarget, Evicted, IssuerKey, NotBeforeOptions, NotBeforeScope, Result,
    SidAccounts, SidEntry, SidIndex, SidKey, Timestamp,
};

use crate::{
    RedisStore, bulk,
    client::{Call, Idempotency, unexpected},
    cursor,
    keys::{duration_millis, millis, parse_sid_entry_field, sid_entry_field},
    replies::check_granted,
    scripts,
    store::Inner,
};

/// The default number of keys that a page of a scan visits.
const PAGE: usize = 1_000;

#[async_trait]
impl SidIndex for RedisStore {
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        const OPERATION: &str = "enter a `sid`";
        let Inner { client, keys, .. } = self.inner();
        let call = Call::script(&scripts::ADD_SID_ENTRY, [keys.sid(sid)])
            .bytes(&sid_entry_field(&sid_entry.account))
            .number(millis(sid_entry.requested_at))
            .number(millis(sid_entry.ends_at))
            .number(millis(sid_entry.not_after));
        let confirmed = client
            .confirmed(OPERATION, Idempotency::Idempotent, call)
            .await?;
        check_granted(OPERATION, confirmed.answer.number(OPERATION)?)
    }

    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        const OPERATION: &str = "sign out a provider session";
        let Inner {
            client,
            keys,
            checked,
            ..
        } = self.inner();
        let (kind, at) = match bound {
            CutoffBound::Forever => (b"g", Timestamp::default()),
            CutoffBound::Time(moment) => (b"m", moment.at),
        };
        let call = Call::script(&scripts::SET_SID_NOT_BEFORE, [keys.sid(sid)])
            .bytes(kind)
            .number(millis(at))
            .number(duration_millis(options.not_before_lifetime));
        let confirmed = client
            .confirmed(OPERATION, Idempotency::Idempotent, call)
            .await?;
        let mut accounts = Vec::new();
        for field in confirmed.answer.list(OPERATION)? {
            let field = field.bytes(OPERATION)?.unwrap_or_default();
            accounts.push(parse_sid_entry_field(&field).ok_or_else(|| unexpected(OPERATION))?);
        }
        let found = SidAccounts::at(accounts);
        Ok(if found.accounts.is_empty() && checked.may_lose_index {
            found.maybe_incomplete()
        } else {
            found
        })
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        const OPERATION: &str = "check the issuer";
        let Inner { client, keys, .. } = self.inner();
        let call = Call::script(&scripts::CHECK_ISSUER, [keys.issuer(issuer)])
            .number(millis(requested_at))
            .number(millis(not_after));
        let answer = client.call(OPERATION, Idempotency::Read, &call).await?;
        check_granted(OPERATION, answer.number(OPERATION)?)
    }

    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()> {
        const OPERATION: &str = "sign out an issuer";
        let Inner { client, keys, .. } = self.inner();
        let call = Call::script(&scripts::SET_ISSUER_NOT_BEFORE, [keys.issuer(issuer)])
            .number(millis(at))
            .number(duration_millis(options.not_before_lifetime));
        let confirmed = client
            .confirmed(OPERATION, Idempotency::Idempotent, call)
            .await?;
        check_granted(OPERATION, confirmed.answer.number(OPERATION)?)
    }

    /// Returns a page of the accounts for which Redis has data, as [`SidIndex::accounts`] describes. It scans all keys of the database.
    ///
    /// If a Redis server restarted, a failover happened or a slot of a Cluster moved after the cursor was returned, the list starts again
    /// from the beginning. Accounts of earlier pages are then returned again.
    async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage> {
        let Inner { client, keys, .. } = self.inner();
        let from = match &scan.cursor {
            None => None,
            Some(cursor) => Some(cursor::parse(cursor.as_str()).ok_or_else(|| {
                Error::misuse(
                    "list accounts",
                    "the cursor comes from another store; start without a cursor",
                )
                .store(crate::STORE)
            })?),
        };
        let count = if scan.page == 0 { PAGE } else { scan.page };
        let pattern = keys.accounts_pattern(scan.issuer.as_ref());
        let page = client.scan(&pattern, count, from.as_ref()).await?;
        let accounts = page
            .keys
            .iter()
            .filter_map(|key| keys.parse_account(key))
            .collect();
        let next = page
            .next
            .map(|position| AccountCursor::new(cursor::write(&position)));
        Ok(AccountPage::new(accounts, next))
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        let life = match not_before {
            NotBeforeScope::Account => Some(duration_millis(options.not_before_lifetime)),
            NotBeforeScope::Issuer => None,
        };
        let outcomes = bulk::evict(self.inner(), accounts, at, life, options.now).await;
        let target = EvictTarget::Account(CutoffTime::on_store_clock(at));
        let mut settled = Vec::with_capacity(accounts.len());
        for (account, outcome) in accounts.iter().zip(outcomes) {
            settled.push(match outcome {
                Ok(bulk::Outcome::Evicted(evicted)) => Ok(evicted),
                // The account has a newer session, so its fields must be read.
                Ok(bulk::Outcome::Newer) => {
                    Box::pin(self.evict_at_once(account, target, life.unwrap_or(0), options.now))
                        .await
                }
                Err(error) => Err(error),
            });
        }
        settled
    }
}
