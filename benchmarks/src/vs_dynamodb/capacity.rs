use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{
            AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
            BeforeTransmitInterceptorContextRef,
        },
    },
    error::BoxError,
    operation::{
        batch_get_item::{BatchGetItemInput, BatchGetItemOutput},
        batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput},
        delete_item::{DeleteItemInput, DeleteItemOutput},
        get_item::{GetItemInput, GetItemOutput},
        put_item::{PutItemInput, PutItemOutput},
        query::{QueryInput, QueryOutput},
        update_item::{UpdateItemInput, UpdateItemOutput},
    },
    types::{ConsumedCapacity, ReturnConsumedCapacity},
};

use crate::Result;

/// The requests of an operation, and the capacity that the engine counted for them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cost {
    pub(super) requests: u32,
    pub(super) rcu: f64,
    pub(super) wcu: f64,
}

tokio::task_local! {
    /// The cost of the operation that this task is measuring. Requests of other tasks are not counted.
    static COST: Arc<Mutex<Cost>>;
}

/// Runs an operation, and says what it cost.
pub(super) async fn of<T>(operation: impl Future<Output = Result<T>>) -> Result<(T, Cost)> {
    let cost = Arc::new(Mutex::new(Cost::default()));
    let outcome = COST.scope(Arc::clone(&cost), operation).await?;
    let cost = *cost.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((outcome, cost))
}

/// Asks for the consumed capacity with every request of a client, and adds it up.
#[derive(Debug)]
pub(super) struct Meter;

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "consumed capacity"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let input = context.input_mut();
        macro_rules! ask {
            ($($kind:ty),*) => {
                $(if let Some(input) = input.downcast_mut::<$kind>() {
                    input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
                })*
            };
        }
        ask!(
            BatchGetItemInput,
            BatchWriteItemInput,
            DeleteItemInput,
            GetItemInput,
            PutItemInput,
            QueryInput,
            UpdateItemInput
        );
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        add(Cost {
            requests: 1,
            ..Cost::default()
        });
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else {
            return Ok(());
        };
        if let Some(output) = output.downcast_ref::<GetItemOutput>() {
            add(read(output.consumed_capacity().as_slice()));
        } else if let Some(output) = output.downcast_ref::<BatchGetItemOutput>() {
            add(read(&output.consumed_capacity().iter().collect::<Vec<_>>()));
        } else if let Some(output) = output.downcast_ref::<QueryOutput>() {
            add(read(output.consumed_capacity().as_slice()));
        } else if let Some(output) = output.downcast_ref::<PutItemOutput>() {
            add(written(output.consumed_capacity().as_slice()));
        } else if let Some(output) = output.downcast_ref::<UpdateItemOutput>() {
            add(written(output.consumed_capacity().as_slice()));
        } else if let Some(output) = output.downcast_ref::<DeleteItemOutput>() {
            add(written(output.consumed_capacity().as_slice()));
        } else if let Some(output) = output.downcast_ref::<BatchWriteItemOutput>() {
            add(written(
                &output.consumed_capacity().iter().collect::<Vec<_>>(),
            ));
        }
        Ok(())
    }
}

fn read(consumed: &[&ConsumedCapacity]) -> Cost {
    Cost {
        rcu: units(consumed),
        ..Cost::default()
    }
}

fn written(consumed: &[&ConsumedCapacity]) -> Cost {
    Cost {
        wcu: units(consumed),
        ..Cost::default()
    }
}

fn units(consumed: &[&ConsumedCapacity]) -> f64 {
    consumed
        .iter()
        .filter_map(|consumed| consumed.capacity_units())
        .sum()
}

fn add(more: Cost) {
    // Outside of a measured operation there is nothing to add to.
    let _ = COST.try_with(|cost| {
        let mut cost = cost.lock().unwrap_or_else(PoisonError::into_inner);
        cost.requests += more.requests;
        cost.rcu += more.rcu;
        cost.wcu += more.wcu;
    });
}
