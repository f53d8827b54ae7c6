use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use token_cache_core::Result;

use super::{
    Client, Expression, Idempotency, Item, Operation,
    item::{attributes, key},
};
use crate::{error::unexpected, keys::Key};

/// A page of a scan, and the key at which the next page starts.
pub(crate) struct ScanPage {
    pub(crate) items: Vec<Item>,
    pub(crate) next: Option<Key>,
    /// The consumed read units.
    pub(crate) cost: f64,
}

impl Client {
    /// Reads the keys of a page of the items that match `expression`, with a strongly consistent request. The page covers up to `visited`
    /// items, or 1 MB.
    pub(crate) async fn scan(
        &self,
        operation: Operation,
        expression: &Expression,
        visited: Option<i32>,
        from: Option<&Key>,
    ) -> Result<ScanPage> {
        let page = self
            .ask(operation, Idempotency::Read, "dynamodb:Scan", || {
                self.sdk
                    .scan()
                    .table_name(&self.table)
                    .set_filter_expression(expression.condition.clone())
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .projection_expression("#pk, #sk")
                    .set_limit(visited)
                    .set_exclusive_start_key(from.map(attributes))
                    .consistent_read(true)
                    .return_consumed_capacity(ReturnConsumedCapacity::Total)
                    .send()
            })
            .await?;
        let last = page.last_evaluated_key.as_ref();
        let next = last.map(|last| key(last).ok_or_else(|| unexpected(operation.name)));
        let consumed = page.consumed_capacity.and_then(|one| one.capacity_units);
        Ok(ScanPage {
            cost: consumed.unwrap_or(0.0),
            items: page.items.into_iter().flatten().map(Item).collect(),
            next: next.transpose()?,
        })
    }
}
