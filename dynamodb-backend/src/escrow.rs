//! Escrows: `d` the sealed epoch, `o` a number that grows with each that is kept, `exp` the session's end.

use async_trait::async_trait;
use token_cache_core::{AccountKey, Escrow, EscrowName, Escrowed, ReadOptions, Result};

use crate::{
    DynamoDbStore,
    client::{Effect, Item, Terms},
    entry::seconds,
    head,
    keys::{self, parse_escrow},
    record::corrupt,
};

#[async_trait]
impl Escrow for DynamoDbStore {
    /// Three requests: the session's end is read, the escrow put, and then read whether the session still lives.
    async fn keep(
        &self,
        account: &AccountKey,
        name: &EscrowName,
        escrowed: Escrowed,
        options: ReadOptions,
    ) -> Result<()> {
        let held = self.held();
        let client = &held.client;
        let operation = client.start("keep an escrow");
        let session = held
            .living(operation, account, &escrowed.epoch, options.now)
            .await?;
        let key = held.keys.escrow(account, name, &escrowed.epoch);
        let item = Item::at(&key)
            .with("d", escrowed.sealed)
            .with("o", client.ascending()?)
            .with("exp", seconds(session.ends_at));
        let put = client.put(operation, Effect::Repeatable, item, Terms::default());
        // It has no condition to refuse it.
        let _ = put.await?;
        let alive = held.living(operation, account, &escrowed.epoch, options.now);
        match alive.await {
            Ok(_) => Ok(()),
            Err(refused) if refused.is_signed_out() => {
                let cleaning = client.start("remove an escrow of an ended session");
                // The refusal is what the caller must hear of; what is left is found by nobody.
                let _ = client
                    .delete(cleaning, Effect::Repeatable, &key, Terms::default())
                    .await;
                Err(refused)
            }
            Err(error) => Err(error.maybe_applied()),
        }
    }

    /// Two requests: the escrows are read, and then which of their sessions live; one where there is none.
    async fn find(
        &self,
        account: &AccountKey,
        name: &EscrowName,
        options: ReadOptions,
    ) -> Result<Vec<Escrowed>> {
        let held = self.held();
        let operation = held.client.start("find an escrow");
        let partition = held.keys.partition(account);
        let items = held
            .client
            .query(operation, &partition, &keys::escrows(name))
            .await?;
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let living = held.client.get(operation, &held.keys.head(account)).await?;
        let mut found = Vec::new();
        for mut item in items {
            let mut read = || {
                let epoch = parse_escrow(item.text("sk")?)?;
                Some((item.number("o")?, epoch, item.take_bytes("d")?))
            };
            let (order, epoch, sealed) =
                read().ok_or_else(|| corrupt(operation.name, "an escrow"))?;
            let session = living.as_ref().map(|head| head::session(head, &epoch));
            match session.unwrap_or(Ok(None)) {
                Ok(Some(record)) if !record.is_over(options.now) => {
                    found.push((order, Escrowed::new(epoch, sealed)));
                }
                Ok(_) => {}
                Err(()) => return Err(corrupt(operation.name, "a session's record")),
            }
        }
        found.sort_by_key(|(order, _)| std::cmp::Reverse(*order));
        Ok(found.into_iter().map(|(_, escrowed)| escrowed).collect())
    }
}
