use std::collections::HashMap;

use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, WriteRequest};
use token_cache_core::{Result, backend::backoff};

use super::{
    Client, Idempotency, Item, Operation, PAUSE,
    item::{attributes, key},
};
use crate::{
    error::{throttled, unexpected},
    keys::Key,
};

/// The most keys of a `BatchGetItem`, and of a `BatchWriteItem`.
const READS: usize = 100;
const WRITES: usize = 25;

impl Client {
    /// Reads two items with one strongly consistent request.
    pub(crate) async fn get_both(
        &self,
        operation: Operation,
        keys: [&Key; 2],
    ) -> Result<[Option<Item>; 2]> {
        let mut found = [None, None];
        for item in self.get_batch(operation, keys).await? {
            let at = key(&item.0).and_then(|key| keys.iter().position(|asked| **asked == key));
            if let Some(at) = at {
                found[at] = Some(item);
            }
        }
        Ok(found)
    }

    /// Reads items with strongly consistent requests of a hundred keys. Missing items are left out.
    pub(crate) async fn get_all(&self, operation: Operation, keys: &[Key]) -> Result<Vec<Item>> {
        let mut found = Vec::new();
        for batch in keys.chunks(READS) {
            found.extend(self.get_batch(operation, batch).await?);
        }
        Ok(found)
    }

    /// Reads one batch, and repeats the request for unprocessed keys. Keys that are still unprocessed at the deadline are an error, never a
    /// miss.
    async fn get_batch<'a>(
        &self,
        operation: Operation,
        keys: impl IntoIterator<Item = &'a Key>,
    ) -> Result<Vec<Item>> {
        let request = KeysAndAttributes::builder()
            .set_keys(Some(keys.into_iter().map(attributes).collect()))
            .consistent_read(true)
            .build()
            .map_err(|_| unexpected(operation.name))?;
        let (mut wanted, mut found, mut attempt) = (Some(request), Vec::new(), 0);
        while let Some(request) = wanted.take() {
            let answer = self
                .ask(
                    operation,
                    Idempotency::Read,
                    "dynamodb:BatchGetItem",
                    || {
                        self.sdk
                            .batch_get_item()
                            .request_items(&self.table, request.clone())
                            .send()
                    },
                )
                .await?;
            // The request may have the ARN of the table and the response its name; there is only one table.
            let answered = answer.responses.into_iter().flatten();
            found.extend(answered.flat_map(|(_, items)| items).map(Item));
            let left = answer.unprocessed_keys.into_iter().flatten().next();
            wanted = left
                .map(|(_, left)| left)
                .filter(|left| !left.keys.is_empty());
            if wanted.is_some() {
                self.unprocessed(operation, &mut attempt).await?;
            }
        }
        Ok(found)
    }

    /// Deletes items unconditionally, with requests of 25 keys.
    pub(crate) async fn delete_all(&self, operation: Operation, keys: &[Key]) -> Result<()> {
        let mut attempt = 0;
        for batch in keys.chunks(WRITES) {
            let deletes: Result<Vec<_>> = batch
                .iter()
                .map(|key| {
                    let delete = DeleteRequest::builder().set_key(Some(attributes(key)));
                    let delete = delete.build().map_err(|_| unexpected(operation.name))?;
                    Ok(WriteRequest::builder().delete_request(delete).build())
                })
                .collect();
            let mut wanted = Some(HashMap::from([(self.table.clone(), deletes?)]));
            while let Some(request) = wanted.take() {
                let answer = self
                    .ask(
                        operation,
                        Idempotency::Idempotent,
                        "dynamodb:BatchWriteItem",
                        || {
                            self.sdk
                                .batch_write_item()
                                .set_request_items(Some(request.clone()))
                                .send()
                        },
                    )
                    .await?;
                wanted = answer.unprocessed_items.filter(|left| !left.is_empty());
                if wanted.is_some() {
                    self.unprocessed(operation, &mut attempt).await?;
                }
            }
        }
        Ok(())
    }

    /// Pauses before the request for unprocessed keys.
    async fn unprocessed(&self, operation: Operation, attempt: &mut u32) -> Result<()> {
        *attempt += 1;
        let pause = backoff(PAUSE, (*attempt).min(8));
        if !operation.has_time_after(pause) {
            return Err(throttled(operation.name));
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
