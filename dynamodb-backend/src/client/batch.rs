use aws_sdk_dynamodb::{error::BuildError, types::KeysAndAttributes};
use token_cache_core::Result;
use tokio::time::Instant;

use super::{
    Client, Effect, Item, Operation, PAUSE,
    backoff::backoff,
    item::{attributes, key},
};
use crate::{
    error::{throttled, unexpected},
    keys::Key,
};

impl Client {
    /// Two items in one request, strongly consistent. What the service leaves unprocessed is asked for again; what it still
    /// leaves when the time is up is an error, never a miss.
    pub(crate) async fn get_both(
        &self,
        operation: Operation,
        keys: [&Key; 2],
    ) -> Result<[Option<Item>; 2]> {
        let mut wanted = Some(strong(keys).map_err(|_| unexpected(operation.name))?);
        let mut found = [None, None];
        let mut attempt = 0;
        while let Some(request) = wanted.take() {
            let answer = self
                .ask(operation, Effect::Reads, "dynamodb:BatchGetItem", || {
                    self.sdk
                        .batch_get_item()
                        .request_items(&self.table, request.clone())
                        .send()
                })
                .await?;
            // A table may be given by its ARN and answered by its name; one table was asked.
            for item in answer
                .responses
                .into_iter()
                .flatten()
                .flat_map(|(_, items)| items)
            {
                let at = key(&item).and_then(|key| keys.iter().position(|asked| **asked == key));
                if let Some(at) = at {
                    found[at] = Some(Item(item));
                }
            }
            let left = answer.unprocessed_keys.into_iter().flatten().next();
            wanted = left
                .map(|(_, left)| left)
                .filter(|left| !left.keys.is_empty());
            if wanted.is_some() {
                attempt += 1;
                let pause = backoff(PAUSE, attempt.min(8));
                if Instant::now() + pause >= operation.deadline {
                    return Err(throttled(operation.name));
                }
                tokio::time::sleep(pause).await;
            }
        }
        Ok(found)
    }
}

fn strong(keys: [&Key; 2]) -> std::result::Result<KeysAndAttributes, BuildError> {
    KeysAndAttributes::builder()
        .set_keys(Some(keys.map(attributes).into()))
        .consistent_read(true)
        .build()
}
