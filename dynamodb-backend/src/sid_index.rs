use async_trait::async_trait;
use token_cache_core::{
    AccountKey, Cursor, CutoffBound, Error, EvictOptions, Evicted, IssuerKey, NotBeforeOptions,
    NotBeforeScope, Page, Result, Scan, SidAccounts, SidEntry, SidIndex, SidKey, Timestamp,
};

use crate::{
    DynamoDbStore,
    client::{Idempotency, Item, Returning, Terms, version},
    cursor,
    entry::seconds,
    error::signed_out,
    head::NotBefore,
    keys::HEAD,
    mass,
    record::corrupt,
    sids::{self, SidRecord},
    store::Held,
};

/// How many items a page visits at the least, where a number of accounts is asked for: most items are no account's head.
const VISITED: usize = 100;

#[async_trait]
impl SidIndex for DynamoDbStore {
    /// One request; another where a session that ends later is entered already.
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        let Held { client, keys, .. } = self.held();
        let operation = client.start("enter a `sid`");
        client.check_in_time(operation, sid_entry.not_after)?;
        let key = keys.sid(sid);
        loop {
            let now = client.now()?.earliest;
            let terms = sids::enter_at_once(&sid_entry, now, &version()?);
            let update = client.update(
                operation,
                Idempotency::Idempotent,
                &key,
                terms,
                Returning::Nothing,
            );
            let Err(refused) = update.await? else {
                return client.check_in_time(operation, sid_entry.not_after);
            };
            if let Some(item) = refused.there {
                let (mut sid_record, whole) = SidRecord::decode(&item);
                if !whole {
                    return Err(corrupt(operation.name, "the item of a `sid`"));
                }
                if sid_record.refuses(sid_entry.requested_at, now) {
                    return Err(signed_out(operation.name));
                }
                sid_record.enter(&sid_entry);
                let item_now = sid_record.encode(&key, &version()?);
                let terms = sids::unchanged(item.value("v"));
                let put = client.put(operation, Idempotency::Idempotent, item_now, terms);
                if put.await?.is_ok() {
                    return client.check_in_time(operation, sid_entry.not_after);
                }
            }
            client.yield_to_others(operation).await?;
        }
    }

    /// One request; another where the marker outlives what is there.
    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        let Held { client, keys, .. } = self.held();
        let operation = client.start("sign out a provider session");
        let key = keys.sid(sid);
        loop {
            let end = client.ending_after_landing(options.not_before_lifetime)?;
            let terms = sids::mark_at_once(bound, end, &version()?);
            let update = client.update(
                operation,
                Idempotency::Idempotent,
                &key,
                terms,
                Returning::New,
            );
            let now = |sid_record: &SidRecord| {
                Ok(SidAccounts::at(sid_record.living(client.now()?.earliest)))
            };
            match update.await? {
                Ok(item) => {
                    let sid_record = item.map(|item| SidRecord::decode(&item).0);
                    return now(&sid_record.unwrap_or_default());
                }
                Err(refused) => {
                    if let Some(item) = refused.there {
                        let (mut sid_record, _) = SidRecord::decode(&item);
                        sid_record.set_not_before(bound, end);
                        let item_now = sid_record.encode(&key, &version()?);
                        let terms = sids::unchanged(item.value("v"));
                        let put = client.put(operation, Idempotency::Idempotent, item_now, terms);
                        if put.await?.is_ok() {
                            return now(&sid_record);
                        }
                    }
                }
            }
            client.yield_to_others(operation).await?;
        }
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        let Held { client, keys, .. } = self.held();
        let operation = client.start("check the issuer");
        let item = client.get(operation, &keys.issuer(issuer)).await?;
        client.check_in_time(operation, not_after)?;
        let Some(item) = item else { return Ok(()) };
        let not_before =
            not_before(&item).ok_or_else(|| corrupt(operation.name, "the issuer's marker"))?;
        if requested_at <= not_before.at && client.now()?.earliest < not_before.expires_at {
            return Err(signed_out(operation.name));
        }
        Ok(())
    }

    /// One request; another where the marker that is there is later, or lives longer.
    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()> {
        let Held { client, keys, .. } = self.held();
        let operation = client.start("sign out an issuer");
        let key = keys.issuer(issuer);
        let expires_at = client.ending_after_landing(options.not_before_lifetime)?;
        let mut new = NotBefore { at, expires_at };
        let mut terms = Terms::when("attribute_not_exists(#pk) OR (#k <= :at AND #x <= :end)")
            .value(":at", at.as_millis())
            .value(":end", expires_at.as_millis());
        loop {
            let item = Item::at(&key)
                .with("k", new.at.as_millis())
                .with("x", new.expires_at.as_millis())
                .with("v", version()?.as_slice())
                .with("exp", seconds(new.expires_at));
            let put = client.put(operation, Idempotency::Idempotent, item, terms.telling());
            let Err(refused) = put.await? else {
                return Ok(());
            };
            let seen = refused.there;
            let mut raised = seen.as_ref().and_then(not_before);
            NotBefore::raise(&mut raised, NotBefore { at, expires_at });
            new = raised.unwrap_or(new);
            terms = match &seen {
                Some(item) => sids::unchanged(item.value("v")),
                None => Terms::when("attribute_not_exists(#pk)"),
            };
            client.yield_to_others(operation).await?;
        }
    }

    /// It walks the whole table, and reads every item of it.
    async fn accounts(&self, scan: &Scan) -> Result<Page> {
        let Held { client, keys, .. } = self.held();
        let operation = client.start("list accounts");
        let from = match &scan.cursor {
            None => None,
            Some(cursor) => Some(cursor::parse(cursor.as_str()).ok_or_else(|| {
                Error::misuse("list accounts", "the cursor is of another store").store(crate::STORE)
            })?),
        };
        let terms = Terms::when("#sk = :head AND begins_with(#pk, :prefix) AND size(#s) > :none")
            .value(":head", HEAD)
            .value(":prefix", keys.accounts(scan.issuer.as_ref()).as_str())
            .value(":none", 0);
        let visited = i32::try_from(scan.page.max(VISITED)).unwrap_or(i32::MAX);
        let visited = (scan.page > 0).then_some(visited);
        let walked = client
            .scan(operation, &terms, visited, from.as_ref())
            .await?;
        let accounts = walked
            .items
            .iter()
            .filter_map(|item| keys.parse_account(item.text("pk")?))
            .collect();
        let next = walked.next.map(|key| Cursor::new(cursor::write(&key)));
        Ok(Page::new(accounts, next))
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        let sets_not_before = not_before == NotBeforeScope::Account;
        mass::evict(self.held(), accounts, at, sets_not_before, options).await
    }
}

fn not_before(item: &Item) -> Option<NotBefore> {
    let moment = |name| item.number(name).map(Timestamp::from_millis);
    let not_before = moment("k").zip(moment("x"));
    not_before.map(|(at, expires_at)| NotBefore { at, expires_at })
}
