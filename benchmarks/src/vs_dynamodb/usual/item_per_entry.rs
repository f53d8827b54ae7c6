use aws_sdk_dynamodb::{
    Client,
    primitives::Blob,
    types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest},
};

use super::{Item, entry_name, item};
use crate::Result;

/// The most items of a batch.
const BATCH: usize = 25;

/// An item for each entry; a sign-out queries for them and deletes them in batches.
#[derive(Debug)]
pub(in super::super) struct ItemPerEntry<'a> {
    pub(in super::super) client: &'a Client,
    pub(in super::super) table: &'a str,
}

impl ItemPerEntry<'_> {
    pub(in super::super) async fn load(
        &self,
        account: &str,
        entries: usize,
        value: &[u8],
    ) -> Result<()> {
        let puts: Vec<WriteRequest> = (0..entries)
            .map(|number| {
                let put = PutRequest::builder().set_item(Some(whole(account, number, value)));
                Ok(WriteRequest::builder().put_request(put.build()?).build())
            })
            .collect::<Result<_>>()?;
        self.batches(puts).await
    }

    pub(in super::super) async fn read(&self, account: &str) -> Result<()> {
        let read = self
            .client
            .get_item()
            .table_name(self.table)
            .consistent_read(true)
            .set_key(Some(item(account, &entry_name(0))))
            .send()
            .await?;
        read.item()
            .map(drop)
            .ok_or_else(|| "the entry is gone".into())
    }

    pub(in super::super) async fn write(&self, account: &str, value: &[u8]) -> Result<()> {
        self.client
            .put_item()
            .table_name(self.table)
            .set_item(Some(whole(account, 0, value)))
            .send()
            .await?;
        Ok(())
    }

    pub(in super::super) async fn sign_out(&self, account: &str) -> Result<()> {
        let mut from = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(self.table)
                .consistent_read(true)
                .key_condition_expression("#pk = :pk")
                .projection_expression("#pk, #sk")
                .expression_attribute_names("#pk", "pk")
                .expression_attribute_names("#sk", "sk")
                .expression_attribute_values(":pk", AttributeValue::S(account.to_owned()))
                .set_exclusive_start_key(from)
                .send()
                .await?;
            from = page.last_evaluated_key().cloned();
            let deletes: Vec<WriteRequest> = page
                .items
                .unwrap_or_default()
                .into_iter()
                .map(|key| {
                    let delete = DeleteRequest::builder().set_key(Some(key)).build()?;
                    Ok(WriteRequest::builder().delete_request(delete).build())
                })
                .collect::<Result<_>>()?;
            self.batches(deletes).await?;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    async fn batches(&self, requests: Vec<WriteRequest>) -> Result<()> {
        for batch in requests.chunks(BATCH) {
            let mut left = Some(batch.to_vec());
            while let Some(batch) = left.take() {
                let written = self
                    .client
                    .batch_write_item()
                    .request_items(self.table, batch)
                    .send()
                    .await?;
                left = written
                    .unprocessed_items
                    .and_then(|mut unprocessed| unprocessed.remove(self.table))
                    .filter(|unprocessed| !unprocessed.is_empty());
            }
        }
        Ok(())
    }
}

fn whole(account: &str, number: usize, value: &[u8]) -> Item {
    let mut item = item(account, &entry_name(number));
    item.insert("d".to_owned(), AttributeValue::B(Blob::new(value)));
    item
}
