use aws_sdk_dynamodb::{Client, primitives::Blob, types::AttributeValue};

use super::{entry_name, item};
use crate::Result;

/// One item with all entries of an account in a map; a sign-out deletes it. It ends at 400 KB.
#[derive(Debug)]
pub(in super::super) struct ItemPerAccount<'a> {
    pub(in super::super) client: &'a Client,
    pub(in super::super) table: &'a str,
}

/// The most bytes of values in an item: the limit of DynamoDB, less 1 KiB for the keys.
const LARGEST: usize = 400 * 1024 - 1024;

impl ItemPerAccount<'_> {
    /// Returns `false` if this many entries do not fit.
    pub(in super::super) async fn load(
        &self,
        account: &str,
        entries: usize,
        value: &[u8],
    ) -> Result<bool> {
        if entries * (value.len() + entry_name(0).len()) > LARGEST {
            return Ok(false);
        }
        let value = |number| (entry_name(number), AttributeValue::B(Blob::new(value)));
        let mut whole = item(account, "#");
        whole.insert(
            "e".to_owned(),
            AttributeValue::M((0..entries).map(value).collect()),
        );
        self.client
            .put_item()
            .table_name(self.table)
            .set_item(Some(whole))
            .send()
            .await?;
        Ok(true)
    }

    pub(in super::super) async fn read(&self, account: &str) -> Result<()> {
        let read = self
            .client
            .get_item()
            .table_name(self.table)
            .consistent_read(true)
            .set_key(Some(item(account, "#")))
            .projection_expression("#e.#n")
            .expression_attribute_names("#e", "e")
            .expression_attribute_names("#n", entry_name(0))
            .send()
            .await?;
        read.item()
            .map(drop)
            .ok_or_else(|| "the entry is gone".into())
    }

    pub(in super::super) async fn write(&self, account: &str, value: &[u8]) -> Result<()> {
        self.client
            .update_item()
            .table_name(self.table)
            .set_key(Some(item(account, "#")))
            .update_expression("SET #e.#n = :value")
            .expression_attribute_names("#e", "e")
            .expression_attribute_names("#n", entry_name(0))
            .expression_attribute_values(":value", AttributeValue::B(Blob::new(value)))
            .send()
            .await?;
        Ok(())
    }

    pub(in super::super) async fn sign_out(&self, account: &str) -> Result<()> {
        self.client
            .delete_item()
            .table_name(self.table)
            .set_key(Some(item(account, "#")))
            .send()
            .await?;
        Ok(())
    }
}
