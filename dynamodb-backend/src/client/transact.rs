use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{ConditionCheck, Put, TransactWriteItem},
};
use token_cache_core::{Error, ErrorKind, Result};

use super::{Client, Expression, Idempotency, Item, Operation, item::attributes};
use crate::{error::unexpected, keys::Key};

/// The outcome of a put that depends on another item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransactOutcome {
    Written,
    /// The condition on the other item does not hold.
    ConditionFailed,
    /// The item itself changed, or another transaction is writing one of the two.
    Conflict,
}

impl Client {
    /// Puts an item if its condition and that of another item hold, in one transaction.
    pub(crate) async fn put_while(
        &self,
        operation: Operation,
        (item, expression): (Item, Expression),
        (other, other_expression): (&Key, Expression),
    ) -> Result<TransactOutcome> {
        let build = |_| unexpected(operation.name);
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(attributes(other)))
            .set_condition_expression(other_expression.condition.clone())
            .set_expression_attribute_names(other_expression.names())
            .set_expression_attribute_values(other_expression.values())
            .build()
            .map_err(build)?;
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item.0))
            .set_condition_expression(expression.condition.clone())
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .build()
            .map_err(build)?;
        let steps = [
            TransactWriteItem::builder().condition_check(check).build(),
            TransactWriteItem::builder().put(put).build(),
        ];
        // The SDK creates one idempotency token for all attempts of a call, so the service applies one of them.
        let answer = self
            .send(
                operation,
                Idempotency::Idempotent,
                "dynamodb:ConditionCheckItem",
                || {
                    self.sdk
                        .transact_write_items()
                        .set_transact_items(Some(steps.to_vec()))
                        .send()
                },
            )
            .await?;
        match answer {
            Ok(_) => Ok(TransactOutcome::Written),
            Err(error) => cancelled(operation, &error),
        }
    }
}

/// Returns the outcome in the cancellation reasons, which are in the order of the steps.
fn cancelled(operation: Operation, error: &TransactWriteItemsError) -> Result<TransactOutcome> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return Err(unexpected(operation.name));
    };
    let reasons: Vec<&str> = cancelled
        .cancellation_reasons()
        .iter()
        .map(|reason| reason.code().unwrap_or("None"))
        .collect();
    let any = |code: &str| reasons.contains(&code);
    if reasons.first() == Some(&"ConditionalCheckFailed") {
        Ok(TransactOutcome::ConditionFailed)
    } else if any("ConditionalCheckFailed") || any("TransactionConflict") {
        Ok(TransactOutcome::Conflict)
    } else if any("ThrottlingError") || any("ProvisionedThroughputExceeded") {
        Err(Error::new(ErrorKind::Throttled, operation.name)
            .store(crate::STORE)
            .message("the table is throttled; try again"))
    } else {
        Err(unexpected(operation.name))
    }
}
