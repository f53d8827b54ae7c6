use async_trait::async_trait;
use token_cache_core::{
    AccountKey, Cursor, CutoffBound, CutoffTime, Error, EvictOptions, EvictTarget, Evicted,
    IssuerKey, MarkOptions, Marking, Page, Pointed, Pointer, Result, Scan, SidIndex, SidKey,
    Timestamp,
};

use crate::{
    RedisStore,
    answers::granted,
    client::{Call, Idempotency, unexpected},
    cursor,
    keys::{duration_millis, millis, parse_pointer_field, pointer_field},
    mass, scripts,
    store::Held,
};

/// How many keys a scan visits at a time, where nobody says.
const PAGE: usize = 1_000;

#[async_trait]
impl SidIndex for RedisStore {
    async fn point(&self, sid: &SidKey, pointer: Pointer) -> Result<()> {
        const OPERATION: &str = "enter a `sid`";
        let Held { client, keys, .. } = self.held();
        let call = Call::script(&scripts::POINT, [keys.sid(sid)])
            .bytes(&pointer_field(&pointer.account))
            .number(millis(pointer.requested_at))
            .number(millis(pointer.ends_at))
            .number(millis(pointer.not_after));
        let confirmed = client
            .confirmed(OPERATION, Idempotency::Idempotent, call)
            .await?;
        granted(OPERATION, confirmed.answer.number(OPERATION)?)
    }

    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: MarkOptions,
    ) -> Result<Pointed> {
        const OPERATION: &str = "sign out a provider session";
        let Held {
            client,
            keys,
            checked,
            ..
        } = self.held();
        let (kind, at) = match bound {
            CutoffBound::Forever => (b"g", Timestamp::default()),
            CutoffBound::Time(moment) => (b"m", moment.at),
        };
        let call = Call::script(&scripts::SET_SID_NOT_BEFORE, [keys.sid(sid)])
            .bytes(kind)
            .number(millis(at))
            .number(duration_millis(options.marker_life));
        let confirmed = client
            .confirmed(OPERATION, Idempotency::Idempotent, call)
            .await?;
        let mut accounts = Vec::new();
        for field in confirmed.answer.list(OPERATION)? {
            let field = field.bytes(OPERATION)?.unwrap_or_default();
            accounts.push(parse_pointer_field(&field).ok_or_else(|| unexpected(OPERATION))?);
        }
        let pointed = Pointed::at(accounts);
        Ok(if pointed.accounts.is_empty() && checked.may_lose_index {
            pointed.maybe_incomplete()
        } else {
            pointed
        })
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        const OPERATION: &str = "check the issuer";
        let Held { client, keys, .. } = self.held();
        let call = Call::script(&scripts::CHECK_ISSUER, [keys.issuer(issuer)])
            .number(millis(requested_at))
            .number(millis(not_after));
        let answer = client.call(OPERATION, Idempotency::Read, &call).await?;
        granted(OPERATION, answer.number(OPERATION)?)
    }

    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: MarkOptions,
    ) -> Result<()> {
        const OPERATION: &str = "sign out an issuer";
        let Held { client, keys, .. } = self.held();
        let call = Call::script(&scripts::SET_ISSUER_NOT_BEFORE, [keys.issuer(issuer)])
            .number(millis(at))
            .number(duration_millis(options.marker_life));
        let confirmed = client
            .confirmed(OPERATION, Idempotency::Idempotent, call)
            .await?;
        granted(OPERATION, confirmed.answer.number(OPERATION)?)
    }

    /// Starts over where a server restarted, failed over, or a slot moved since the cursor was made.
    async fn accounts(&self, scan: &Scan) -> Result<Page> {
        let Held { client, keys, .. } = self.held();
        let from = match &scan.cursor {
            None => None,
            Some(cursor) => Some(cursor::parse(cursor.as_str()).ok_or_else(|| {
                Error::misuse("list accounts", "the cursor is of another store").store(crate::STORE)
            })?),
        };
        let count = if scan.page == 0 { PAGE } else { scan.page };
        let pattern = keys.accounts_pattern(scan.issuer.as_ref());
        let scanned = client.scan(&pattern, count, from.as_ref()).await?;
        let accounts = scanned
            .keys
            .iter()
            .filter_map(|key| keys.parse_account(key))
            .collect();
        let next = scanned
            .next
            .map(|position| Cursor::new(cursor::write(&position)));
        Ok(Page::new(accounts, next))
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        marking: Marking,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        let life = match marking {
            Marking::Each => Some(duration_millis(options.marker_life)),
            Marking::Issuer => None,
        };
        let outcomes = mass::evict(self.held(), accounts, at, life, options.now).await;
        let target = EvictTarget::Account(CutoffTime::on_store_clock(at));
        let mut settled = Vec::with_capacity(accounts.len());
        for (account, outcome) in accounts.iter().zip(outcomes) {
            settled.push(match outcome {
                Ok(mass::Outcome::Evicted(evicted)) => Ok(evicted),
                // Something newer lives there: it takes a pass over the account's fields.
                Ok(mass::Outcome::Newer) => {
                    Box::pin(self.evict_at_once(account, target, life.unwrap_or(0), options.now))
                        .await
                }
                Err(error) => Err(error),
            });
        }
        settled
    }
}
