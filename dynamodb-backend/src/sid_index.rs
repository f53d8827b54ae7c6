use async_trait::async_trait;
use token_cache_core::{
    AccountCursor, AccountKey, AccountListOptions, AccountPage, CutoffBound, Error, EvictOptions,
    Evicted, IssuerKey, NotBeforeOptions, NotBeforeScope, Result, SidAccounts, SidEntry, SidIndex,
    SidKey, Timestamp,
};

use crate::{
    DynamoDbStore,
    account_item::NotBefore,
    bulk,
    client::{Expression, Idempotency, Item, ReturnValues, random_version},
    cursor,
    entry::seconds,
    error::signed_out,
    keys::SINGLETON_SORT_KEY,
    record::corrupt,
    sid_record::{self, SidRecord},
    store::Inner,
};

/// The least number of items that a page with a limit reads. Most items are not account items.
const MIN_VISITED: usize = 100;

#[async_trait]
impl SidIndex for DynamoDbStore {
    /// Adds the account of a sign-in to the index, as [`SidIndex::add`] describes. It sends one request, or two if another session under
    /// the same `sid` ends later.
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        let Inner { client, keys, .. } = self.inner();
        let operation = client.start("enter a `sid`");
        client.check_deadline(operation, sid_entry.not_after)?;
        let key = keys.sid(sid);
        loop {
            let now = client.now()?.earliest;
            let expression = sid_record::enter_expression(&sid_entry, now, &random_version()?);
            let update = client.update(
                operation,
                Idempotency::Idempotent,
                &key,
                expression,
                ReturnValues::Nothing,
            );
            let Err(refused) = update.await? else {
                return client.check_deadline(operation, sid_entry.not_after);
            };
            if let Some(item) = refused.existing {
                let (mut sid_record, complete) = SidRecord::decode(&item);
                if !complete {
                    return Err(corrupt(operation.name, "the item of a `sid`"));
                }
                if sid_record.refuses(sid_entry.requested_at, now) {
                    return Err(signed_out(operation.name));
                }
                sid_record.enter(&sid_entry);
                let item_now = sid_record.encode(&key, &random_version()?);
                let expression = sid_record::if_unchanged(item.value("v"));
                let put = client.put(operation, Idempotency::Idempotent, item_now, expression);
                if put.await?.is_ok() {
                    return client.check_deadline(operation, sid_entry.not_after);
                }
            }
            client.back_off(operation).await?;
        }
    }

    /// Sets the not-before time of a `sid` and returns its accounts, as [`SidIndex::set_sid_not_before`] describes. It sends one request,
    /// or two if the not-before time expires later than the item of the `sid` in the table.
    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        let Inner { client, keys, .. } = self.inner();
        let operation = client.start("sign out a provider session");
        let key = keys.sid(sid);
        loop {
            let end = client.expiry_after_arrival(options.not_before_lifetime)?;
            let expression = sid_record::mark_expression(bound, end, &random_version()?);
            let update = client.update(
                operation,
                Idempotency::Idempotent,
                &key,
                expression,
                ReturnValues::New,
            );
            let now = |sid_record: &SidRecord| {
                Ok(SidAccounts::at(
                    sid_record.live_accounts(client.now()?.earliest),
                ))
            };
            match update.await? {
                Ok(item) => {
                    let sid_record = item.map(|item| SidRecord::decode(&item).0);
                    return now(&sid_record.unwrap_or_default());
                }
                Err(refused) => {
                    if let Some(item) = refused.existing {
                        let (mut sid_record, _) = SidRecord::decode(&item);
                        sid_record.set_not_before(bound, end);
                        let item_now = sid_record.encode(&key, &random_version()?);
                        let expression = sid_record::if_unchanged(item.value("v"));
                        let put =
                            client.put(operation, Idempotency::Idempotent, item_now, expression);
                        if put.await?.is_ok() {
                            return now(&sid_record);
                        }
                    }
                }
            }
            client.back_off(operation).await?;
        }
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        let Inner { client, keys, .. } = self.inner();
        let operation = client.start("check the issuer");
        let item = client.get(operation, &keys.issuer(issuer)).await?;
        client.check_deadline(operation, not_after)?;
        let Some(item) = item else { return Ok(()) };
        let not_before = not_before(&item)
            .ok_or_else(|| corrupt(operation.name, "the not-before time of the issuer"))?;
        if requested_at <= not_before.at && client.now()?.earliest < not_before.expires_at {
            return Err(signed_out(operation.name));
        }
        Ok(())
    }

    /// Sets the not-before time of an issuer, as [`SidIndex::set_issuer_not_before`] describes. It sends one request, or two if the issuer
    /// already has a later not-before time, or one that expires later.
    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()> {
        let Inner { client, keys, .. } = self.inner();
        let operation = client.start("sign out an issuer");
        let key = keys.issuer(issuer);
        let expires_at = client.expiry_after_arrival(options.not_before_lifetime)?;
        let mut new = NotBefore { at, expires_at };
        let mut expression =
            Expression::condition("attribute_not_exists(#pk) OR (#k <= :at AND #x <= :end)")
                .value(":at", at.as_millis())
                .value(":end", expires_at.as_millis());
        loop {
            let item = Item::at(&key)
                .with("k", new.at.as_millis())
                .with("x", new.expires_at.as_millis())
                .with("v", random_version()?.as_slice())
                .with("exp", seconds(new.expires_at));
            let put = client.put(
                operation,
                Idempotency::Idempotent,
                item,
                expression.return_existing(),
            );
            let Err(refused) = put.await? else {
                return Ok(());
            };
            let seen = refused.existing;
            let mut raised = seen.as_ref().and_then(not_before);
            NotBefore::raise(&mut raised, NotBefore { at, expires_at });
            new = raised.unwrap_or(new);
            expression = match &seen {
                Some(item) => sid_record::if_unchanged(item.value("v")),
                None => Expression::condition("attribute_not_exists(#pk)"),
            };
            client.back_off(operation).await?;
        }
    }

    /// Returns a page of the accounts for which the table has data, as [`SidIndex::accounts`] describes. All pages together read every item
    /// of the table, so a list costs as much as the table is large.
    async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage> {
        let Inner { client, keys, .. } = self.inner();
        let operation = client.start("list accounts");
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
        let expression =
            Expression::condition("#sk = :head AND begins_with(#pk, :prefix) AND size(#s) > :none")
                .value(":head", SINGLETON_SORT_KEY)
                .value(
                    ":prefix",
                    keys.account_prefix(scan.issuer.as_ref()).as_str(),
                )
                .value(":none", 0);
        let visited = i32::try_from(scan.page.max(MIN_VISITED)).unwrap_or(i32::MAX);
        let visited = (scan.page > 0).then_some(visited);
        let page = client
            .scan(operation, &expression, visited, from.as_ref())
            .await?;
        let accounts = page
            .items
            .iter()
            .filter_map(|item| keys.parse_account(item.text("pk")?))
            .collect();
        let next = page.next.map(|key| AccountCursor::new(cursor::write(&key)));
        Ok(AccountPage::new(accounts, next))
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        let sets_not_before = not_before == NotBeforeScope::Account;
        bulk::evict(self.inner(), accounts, at, sets_not_before, options).await
    }
}

fn not_before(item: &Item) -> Option<NotBefore> {
    let moment = |name| item.number(name).map(Timestamp::from_millis);
    let not_before = moment("k").zip(moment("x"));
    not_before.map(|(at, expires_at)| NotBefore { at, expires_at })
}
