use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, error::DisplayErrorContext, types::AttributeValue};
use token_cache::dynamodb::DynamoDbConfig;

use super::Keys;
use crate::{failure::Denied, store_url::PREFIX};

const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// An item for each key: put, got and deleted, in the table that token-cache is in.
pub(crate) struct DynamoDbItems {
    client: Client,
    table: String,
}

impl DynamoDbItems {
    pub(crate) async fn connect(url: &str) -> Result<Self, Denied> {
        let config = DynamoDbConfig::from_url(url)?;
        Ok(Self {
            client: config.sdk_client().await?,
            table: config.table,
        })
    }
}

#[async_trait]
impl Keys for DynamoDbItems {
    fn name(&self) -> &'static str {
        "dynamodb"
    }

    async fn set(&self, key: &str, value: String) -> Result<(), Denied> {
        let expires_at = SystemTime::now() + LIFETIME;
        let expires_at = expires_at
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let put = self.client.put_item().table_name(&self.table);
        put.set_item(Some(item(key)))
            .item("d", AttributeValue::S(value))
            .item("exp", AttributeValue::N(expires_at.to_string()))
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Denied> {
        let get = self.client.get_item().table_name(&self.table);
        let read = get
            .set_key(Some(item(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed)?;
        let value = read.item().and_then(|item| item.get("d"));
        Ok(value.and_then(|value| value.as_s().ok().cloned()))
    }

    async fn del(&self, key: &str) -> Result<(), Denied> {
        let delete = self.client.delete_item().table_name(&self.table);
        delete
            .set_key(Some(item(key)))
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }
}

fn item(key: &str) -> HashMap<String, AttributeValue> {
    let name = AttributeValue::S(format!("{PREFIX}-plain:{key}"));
    HashMap::from([
        ("pk".to_owned(), name),
        ("sk".to_owned(), AttributeValue::S("#".to_owned())),
    ])
}

fn failed(error: impl std::error::Error) -> Denied {
    Denied::Failed(format!(
        "the plain cache on dynamodb: {}",
        DisplayErrorContext(error)
    ))
}
