//! Maps each error of the service and of the connection to an [`Error`]. Only the listed ones are transient.

use std::fmt;

use token_cache_core::{Error, ErrorKind};

/// The error code of a missing permission.
pub(crate) const ACCESS_DENIED: &str = "AccessDeniedException";

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The service refused it.
    Service {
        status: u16,
        code: String,
        message: String,
    },
    /// There was no response in time.
    TimedOut,
    /// No connection could be opened.
    Unreachable(String),
    /// The connection failed during the request.
    ConnectionBroken(String),
    /// The response with this status is not one of DynamoDB.
    UnreadableResponse(u16),
    /// There are no credentials.
    Credentials(String),
    /// The credentials provider does not respond.
    CredentialsTimedOut(String),
    /// The SDK could not build the request.
    InvalidRequest(String),
}

/// What a fault means for the caller and for the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ErrorClass {
    pub(crate) kind: ErrorKind,
    /// What happened and what to do.
    pub(crate) message: &'static str,
    /// Whether the service may have applied the request.
    pub(crate) applied: Applied,
    /// Whether a retry may succeed.
    pub(crate) transient: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    No,
    Maybe,
}

impl ErrorClass {
    /// The service refused the request and changed nothing.
    const fn refused(kind: ErrorKind, message: &'static str) -> Self {
        Self {
            kind,
            message,
            applied: Applied::No,
            transient: false,
        }
    }

    /// The request or its response was lost.
    const fn connection_failed(kind: ErrorKind, message: &'static str) -> Self {
        Self {
            kind,
            message,
            applied: Applied::Maybe,
            transient: true,
        }
    }

    const fn transient(mut self) -> Self {
        self.transient = true;
        self
    }

    /// Returns whether the service throttled the request.
    pub(crate) fn throttles(&self) -> bool {
        self.kind == ErrorKind::Throttled
    }
}

pub(crate) fn classify(fault: &Fault) -> ErrorClass {
    match fault {
        Fault::Service {
            status,
            code,
            message,
        } => service(*status, code, message),
        Fault::TimedOut => ErrorClass::connection_failed(ErrorKind::TimedOut, NO_ANSWER),
        Fault::Unreachable(_) => ErrorClass::refused(
            ErrorKind::Unavailable,
            "no connection can be opened; check the region, the `endpoint` and the network",
        )
        .transient(),
        Fault::ConnectionBroken(_) => ErrorClass::connection_failed(ErrorKind::Unavailable, "the connection was lost during the request; try again"),
        Fault::UnreadableResponse(500..) => ErrorClass::connection_failed(
            ErrorKind::Unavailable,
            "the service or a proxy in between failed; try again",
        ),
        Fault::UnreadableResponse(_) => ErrorClass::connection_failed(
            ErrorKind::Unavailable,
            "the response is incomplete or not one of DynamoDB; check the `endpoint`",
        ),
        Fault::Credentials(_) => ErrorClass::refused(
            ErrorKind::Denied,
            "the AWS SDK found no credentials; set AWS_PROFILE or AWS_ACCESS_KEY_ID, or give the machine a role",
        ),
        Fault::CredentialsTimedOut(_) => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the source of the credentials (instance metadata, token service) does not respond; try again",
        )
        .transient(),
        Fault::InvalidRequest(_) => ErrorClass::refused(
            ErrorKind::Config,
            "the AWS SDK could not build the request; check that a region is set (`region`, or AWS_REGION)",
        ),
    }
}

const NO_ANSWER: &str =
    "there was no response in the configured time; check the network, or raise `operation_timeout`";

fn service(status: u16, code: &str, message: &str) -> ErrorClass {
    match code {
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded"
        | "TooManyRequestsException" => {
            ErrorClass::refused(ErrorKind::Throttled, THROTTLED).transient()
        }
        "TransactionConflictException" | "ReplicatedWriteConflictException" => ErrorClass::refused(
            ErrorKind::Unavailable,
            "a transaction or another Region is writing the item; try again",
        )
        .transient(),
        ACCESS_DENIED => ErrorClass::refused(
            ErrorKind::Denied,
            "the credentials lack a permission; compare the IAM policy in the documentation",
        ),
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "IncompleteSignatureException"
        | "MissingAuthenticationTokenException"
        | "MissingAuthenticationToken"
        | "ExpiredTokenException" => ErrorClass::refused(
            ErrorKind::Denied,
            "the service refuses the credentials; check their account and expiry, and the machine's clock",
        ),
        "ResourceNotFoundException" => ErrorClass::refused(
            ErrorKind::Config,
            "the table does not exist; check its name and the region",
        ),
        "ResourceInUseException" => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the table is being created, changed or deleted; try again",
        )
        .transient(),
        "ValidationException" if message.contains("Item size") => ErrorClass::refused(
            ErrorKind::TooLarge,
            "the item would be larger than 400 KB; set a lower `max_sessions` if the account has thousands of sessions",
        ),
        "ItemCollectionSizeLimitExceededException" => ErrorClass::refused(
            ErrorKind::Full,
            "the account's partition has reached 10 GB; remove the local secondary index of the table",
        ),
        "ValidationException" | "SerializationException" | "UnknownOperationException" => {
            ErrorClass::refused(
                ErrorKind::Unexpected,
                "the service refused the request as invalid; check that the table's key is `pk` and `sk`",
            )
        }
        code if code.starts_with("KMS") => ErrorClass::refused(
            ErrorKind::Denied,
            "the table's KMS key cannot be used; check its state and its policy",
        ),
        _ if status >= 500 => {
            ErrorClass::connection_failed(ErrorKind::Unavailable, "the service failed; try again")
        }
        _ => ErrorClass::refused(
            ErrorKind::Unexpected,
            "the service refused the request with an unknown error code; see the source",
        ),
    }
}

const THROTTLED: &str = "the table is throttled; raise its capacity or its on-demand maximum";

/// The source of an error: the text of the service or the connection, without anything that was sent.
#[derive(Debug)]
struct Cause {
    code: Option<String>,
    text: String,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Cause {}

/// Returns the error for a fault of the request `action` during `operation`.
pub(crate) fn from_fault(operation: &'static str, action: &'static str, fault: &Fault) -> Error {
    let class = classify(fault);
    let text = match fault {
        Fault::Service { code, message, .. } => format!("{action}: {code}: {message}"),
        Fault::UnreadableResponse(status) => {
            format!("{action}: a response with the status {status}")
        }
        Fault::TimedOut => format!("{action}: no response"),
        Fault::Unreachable(text)
        | Fault::ConnectionBroken(text)
        | Fault::Credentials(text)
        | Fault::CredentialsTimedOut(text)
        | Fault::InvalidRequest(text) => format!("{action}: {text}"),
    };
    let message = match fault {
        Fault::Service { code, .. } if code == ACCESS_DENIED => {
            format!("the credentials lack `{action}`; add it to the IAM policy")
        }
        _ => class.message.to_owned(),
    };
    Error::new(class.kind, operation)
        .store(crate::STORE)
        .message(message)
        .with_source(Cause {
            code: match fault {
                Fault::Service { code, .. } => Some(code.clone()),
                _ => None,
            },
            text,
        })
}

/// Returns the error code of the service in the source of an error.
pub(crate) fn code(error: &Error) -> Option<&str> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<Cause>()?.code.as_deref()
}

pub(crate) fn signed_out(operation: &'static str) -> Error {
    Error::signed_out(operation).store(crate::STORE)
}

pub(crate) fn timed_out(operation: &'static str) -> Error {
    Error::new(ErrorKind::TimedOut, operation)
        .store(crate::STORE)
        .message(NO_ANSWER)
}

pub(crate) fn throttled(operation: &'static str) -> Error {
    Error::new(ErrorKind::Throttled, operation)
        .store(crate::STORE)
        .message(THROTTLED)
}

/// Returns the error for a response that the documentation of the service does not allow.
pub(crate) fn unexpected(operation: &'static str) -> Error {
    Error::new(ErrorKind::Unexpected, operation)
        .store(crate::STORE)
        .message("the response is not one of DynamoDB; check the `endpoint`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service_says(status: u16, code: &str, message: &str) -> Fault {
        Fault::Service {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    #[test]
    fn every_refusal_of_the_service_has_its_kind() {
        use Applied::{Maybe, No};
        use ErrorKind::{Config, Denied, Full, Throttled, TooLarge, Unavailable, Unexpected};
        for (status, code, message, kind, applied, transient) in [
            (
                400,
                "ProvisionedThroughputExceededException",
                "",
                Throttled,
                No,
                true,
            ),
            (400, "ThrottlingException", "", Throttled, No, true),
            (400, "RequestLimitExceeded", "", Throttled, No, true),
            (
                400,
                "TransactionConflictException",
                "",
                Unavailable,
                No,
                true,
            ),
            (
                400,
                "ReplicatedWriteConflictException",
                "",
                Unavailable,
                No,
                true,
            ),
            (400, "AccessDeniedException", "", Denied, No, false),
            (400, "UnrecognizedClientException", "", Denied, No, false),
            (400, "InvalidSignatureException", "", Denied, No, false),
            (400, "ExpiredTokenException", "", Denied, No, false),
            (
                400,
                "MissingAuthenticationTokenException",
                "",
                Denied,
                No,
                false,
            ),
            (400, "KMSAccessDeniedException", "", Denied, No, false),
            (400, "ResourceNotFoundException", "", Config, No, false),
            (400, "ResourceInUseException", "", Unavailable, No, true),
            (
                400,
                "ValidationException",
                "Item size has exceeded",
                TooLarge,
                No,
                false,
            ),
            (
                400,
                "ValidationException",
                "Invalid expression",
                Unexpected,
                No,
                false,
            ),
            (
                400,
                "ItemCollectionSizeLimitExceededException",
                "",
                Full,
                No,
                false,
            ),
            (400, "SomethingNewException", "", Unexpected, No, false),
            (500, "InternalServerError", "", Unavailable, Maybe, true),
            (503, "ServiceUnavailable", "", Unavailable, Maybe, true),
            (500, "", "", Unavailable, Maybe, true),
        ] {
            let class = classify(&service_says(status, code, message));
            assert_eq!(
                (class.kind, class.applied, class.transient),
                (kind, applied, transient),
                "{status} {code}"
            );
        }
    }

    #[test]
    fn every_failure_on_the_way_has_its_kind() {
        use Applied::{Maybe, No};
        use ErrorKind::{Config, Denied, TimedOut, Unavailable};
        let text = String::new;
        for (fault, kind, applied, transient) in [
            (Fault::TimedOut, TimedOut, Maybe, true),
            (Fault::Unreachable(text()), Unavailable, No, true),
            (Fault::ConnectionBroken(text()), Unavailable, Maybe, true),
            (Fault::UnreadableResponse(200), Unavailable, Maybe, true),
            (Fault::UnreadableResponse(502), Unavailable, Maybe, true),
            (Fault::Credentials(text()), Denied, No, false),
            (Fault::CredentialsTimedOut(text()), Unavailable, No, true),
            (Fault::InvalidRequest(text()), Config, No, false),
        ] {
            let class = classify(&fault);
            assert_eq!(
                (class.kind, class.applied, class.transient),
                (kind, applied, transient),
                "{fault:?}"
            );
        }
    }

    #[test]
    fn a_missing_permission_is_named() {
        let fault = service_says(400, "AccessDeniedException", "no identity-based policy");
        let error = from_fault("write an entry", "dynamodb:PutItem", &fault);
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(error.to_string().contains("`dynamodb:PutItem`"), "{error}");
    }
}
