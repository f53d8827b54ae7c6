use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use token_cache_core::{
    Error, Result,
    backend::{StoreRequest, backoff},
};
use tokio::time::Instant;

use super::{Client, Idempotency, Operation, PAUSE, fault};
use crate::error::{Applied, classify, from_fault, timed_out};

/// The most attempts of a request. A throttled request is repeated until the deadline.
const MAX_ATTEMPTS: u32 = 4;

/// The error code of a write whose condition does not hold.
const CONDITION_FAILED: &str = "ConditionalCheckFailedException";

/// The error code of a transaction with a condition that does not hold, or with a conflict.
const CANCELLED: &str = "TransactionCanceledException";

/// The result of an SDK request.
pub(super) type Sent<T, E> = std::result::Result<T, SdkError<E, HttpResponse>>;

impl Client {
    /// Sends a request, and repeats it until the deadline if that is safe. A condition that does not hold is not an error.
    pub(super) async fn send<T, E, F>(
        &self,
        operation: Operation,
        idempotency: Idempotency,
        action: &'static str,
        send: impl Fn() -> F,
    ) -> Result<std::result::Result<T, E>>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Sent<T, E>>,
    {
        if Instant::now() >= operation.deadline {
            return Err(timed_out(operation.name));
        }
        let _request = StoreRequest::begin();
        // Whether an attempt may have been applied.
        let mut ambiguous = false;
        let mut attempt = 0;
        let error = loop {
            let answer = tokio::time::timeout_at(operation.deadline, send()).await;
            let fault = match answer {
                Ok(Ok(answer)) => return Ok(Ok(answer)),
                Ok(Err(SdkError::ServiceError(error)))
                    if matches!(error.err().code(), Some(CONDITION_FAILED | CANCELLED)) =>
                {
                    return Ok(Err(error.into_err()));
                }
                Ok(Err(error)) => fault::of(&error),
                Err(_) => {
                    ambiguous = true;
                    break timed_out(operation.name);
                }
            };
            let class = classify(&fault);
            ambiguous |= class.applied == Applied::Maybe;
            attempt += 1;
            let pause = backoff(PAUSE, attempt.min(8));
            let again = class.transient
                && (idempotency != Idempotency::NonIdempotent || class.applied == Applied::No)
                && (attempt < MAX_ATTEMPTS || class.throttles())
                && operation.has_time_after(pause);
            if !again {
                break from_fault(operation.name, action, &fault);
            }
            tokio::time::sleep(pause).await;
        };
        Err(with_may_have_applied(
            error,
            ambiguous && idempotency != Idempotency::Read,
        ))
    }

    /// Sends a request without a condition.
    pub(super) async fn ask<T, E, F>(
        &self,
        operation: Operation,
        idempotency: Idempotency,
        action: &'static str,
        send: impl Fn() -> F,
    ) -> Result<T>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Sent<T, E>>,
    {
        let answer = self.send(operation, idempotency, action, send).await?;
        answer.map_err(|_| crate::error::unexpected(operation.name))
    }
}

fn with_may_have_applied(error: Error, may_have_applied: bool) -> Error {
    if may_have_applied {
        error.maybe_applied()
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sdk_dynamodb::{
        config::{BehaviorVersion, Config},
        error::ErrorMetadata,
        operation::get_item::GetItemError,
    };
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use token_cache_core::ErrorKind;

    use super::*;
    use crate::DynamoDbConfig;

    /// Each refusal takes long enough that a late attempt would be cut off. The pauses are random, so the test repeats.
    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_always_throttled_is_not_cut_off() {
        let config = Config::builder().behavior_version(BehaviorVersion::v2026_01_12());
        let client = Client::new(config, &DynamoDbConfig::new("tokens"));
        for _ in 0..100 {
            let operation = Operation::within("write an entry", Duration::from_secs(1));
            let refused = || async {
                tokio::time::sleep(Duration::from_millis(90)).await;
                let code = ErrorMetadata::builder().code("ThrottlingException");
                let response =
                    HttpResponse::new(StatusCode::try_from(400).unwrap(), SdkBody::empty());
                let error = GetItemError::generic(code.build());
                Err::<(), _>(SdkError::service_error(error, response))
            };
            let sent = client.send(operation, Idempotency::NonIdempotent, "GetItem", refused);
            let error = sent.await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Throttled, "{error}");
            assert!(!error.may_have_applied());
        }
    }
}
