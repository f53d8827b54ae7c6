use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{ConditionCheck, Put, TransactWriteItem},
};
use token_cache_core::{Error, ErrorKind, Result};

use super::{Client, Idempotency, Item, Operation, Terms, item::attributes};
use crate::{error::unexpected, keys::Key};

/// What became of a put that depends on another item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transacted {
    Written,
    /// The other item is not as it should be.
    OtherDiffers,
    /// The item itself is not as it was, or somebody else was at one of the two.
    Lost,
}

impl Client {
    /// Puts an item if its terms hold and those of another item do, in one step.
    pub(crate) async fn put_while(
        &self,
        operation: Operation,
        (item, terms): (Item, Terms),
        (other, its_terms): (&Key, Terms),
    ) -> Result<Transacted> {
        let build = |_| unexpected(operation.name);
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(attributes(other)))
            .set_condition_expression(its_terms.condition.clone())
            .set_expression_attribute_names(its_terms.names())
            .set_expression_attribute_values(its_terms.values())
            .build()
            .map_err(build)?;
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item.0))
            .set_condition_expression(terms.condition.clone())
            .set_expression_attribute_names(terms.names())
            .set_expression_attribute_values(terms.values())
            .build()
            .map_err(build)?;
        let steps = [
            TransactWriteItem::builder().condition_check(check).build(),
            TransactWriteItem::builder().put(put).build(),
        ];
        // The driver mints one token for all attempts of a call, and the service carries out one of them.
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
            Ok(_) => Ok(Transacted::Written),
            Err(error) => cancelled(operation, &error),
        }
    }
}

/// Why a transaction was cancelled: a reason for each of its steps, in their order.
fn cancelled(operation: Operation, error: &TransactWriteItemsError) -> Result<Transacted> {
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
        Ok(Transacted::OtherDiffers)
    } else if any("ConditionalCheckFailed") || any("TransactionConflict") {
        Ok(Transacted::Lost)
    } else if any("ThrottlingError") || any("ProvisionedThroughputExceeded") {
        Err(Error::new(ErrorKind::Throttled, operation.name)
            .store(crate::STORE)
            .message("the table asks for fewer requests; try again"))
    } else {
        Err(unexpected(operation.name))
    }
}
