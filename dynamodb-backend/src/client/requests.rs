use aws_sdk_dynamodb::{
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError, update_item::UpdateItemError,
    },
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use token_cache_core::Result;

use super::{
    Client, ConditionNotMet, Expression, Idempotency, Item, Operation, ReturnValues,
    item::attributes,
};
use crate::keys::Key;

impl Client {
    /// Reads an item with a strongly consistent request.
    pub(crate) async fn get(&self, operation: Operation, key: &Key) -> Result<Option<Item>> {
        let answer = self
            .ask(operation, Idempotency::Read, "dynamodb:GetItem", || {
                self.sdk
                    .get_item()
                    .table_name(&self.table)
                    .set_key(Some(attributes(key)))
                    .consistent_read(true)
                    .send()
            })
            .await?;
        Ok(answer.item.map(Item))
    }

    /// Puts an item if the condition holds.
    pub(crate) async fn put(
        &self,
        operation: Operation,
        idempotency: Idempotency,
        item: Item,
        expression: Expression,
    ) -> Result<std::result::Result<(), ConditionNotMet>> {
        let answer = self
            .send(operation, idempotency, "dynamodb:PutItem", || {
                self.sdk
                    .put_item()
                    .table_name(&self.table)
                    .set_item(Some(item.0.clone()))
                    .set_condition_expression(expression.condition.clone())
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .set_return_values_on_condition_check_failure(
                        expression.return_values_on_failure(),
                    )
                    .send()
            })
            .await?;
        Ok(answer.map(drop).map_err(|error| ConditionNotMet {
            existing: match error {
                PutItemError::ConditionalCheckFailedException(refused) => refused.item.map(Item),
                _ => None,
            },
        }))
    }

    /// Updates or creates an item if the condition holds.
    pub(crate) async fn update(
        &self,
        operation: Operation,
        idempotency: Idempotency,
        key: &Key,
        expression: Expression,
        return_values: ReturnValues,
    ) -> Result<std::result::Result<Option<Item>, ConditionNotMet>> {
        let return_values = match return_values {
            ReturnValues::Nothing => ReturnValue::None,
            ReturnValues::Old => ReturnValue::UpdatedOld,
            ReturnValues::New => ReturnValue::AllNew,
        };
        let answer = self
            .send(operation, idempotency, "dynamodb:UpdateItem", || {
                self.sdk
                    .update_item()
                    .table_name(&self.table)
                    .set_key(Some(attributes(key)))
                    .set_update_expression(expression.set.clone())
                    .set_condition_expression(expression.condition.clone())
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .set_return_values_on_condition_check_failure(
                        expression.return_values_on_failure(),
                    )
                    .return_values(return_values.clone())
                    .send()
            })
            .await?;
        match answer {
            Ok(updated) => Ok(Ok(updated.attributes.map(Item))),
            Err(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                Ok(Err(ConditionNotMet {
                    existing: refused.item.map(Item),
                }))
            }
            Err(_) => Ok(Err(ConditionNotMet { existing: None })),
        }
    }

    /// Deletes an item if the condition holds. A missing item is a success.
    pub(crate) async fn delete(
        &self,
        operation: Operation,
        idempotency: Idempotency,
        key: &Key,
        expression: Expression,
    ) -> Result<()> {
        let answer: std::result::Result<_, DeleteItemError> = self
            .send(operation, idempotency, "dynamodb:DeleteItem", || {
                self.sdk
                    .delete_item()
                    .table_name(&self.table)
                    .set_key(Some(attributes(key)))
                    .set_condition_expression(expression.condition.clone())
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .send()
            })
            .await?;
        // If the condition does not hold, the item belongs to another write and stays.
        drop(answer);
        Ok(())
    }
}

impl Expression {
    fn return_values_on_failure(&self) -> Option<ReturnValuesOnConditionCheckFailure> {
        self.return_existing
            .then_some(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}
