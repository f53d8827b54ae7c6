//! From what the service and the connection say to the family's errors, one by one: none is temporary unless it says so.

use std::fmt;

use token_cache_core::{Error, ErrorKind};

/// The credentials may not do this.
pub(crate) const ACCESS_DENIED: &str = "AccessDeniedException";

/// What went wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The service refused it.
    Service {
        status: u16,
        code: String,
        message: String,
    },
    /// No answer came.
    TimedOut,
    /// No connection could be made.
    Unreachable(String),
    /// The connection failed on the way.
    ConnectionBroken(String),
    /// The answer with this status is none of the service's.
    UnreadableResponse(u16),
    /// There are no credentials to sign it with.
    Credentials(String),
    /// Whoever gives the credentials does not answer.
    CredentialsTimedOut(String),
    /// It could not be made.
    InvalidRequest(String),
}

/// What a fault is to the caller, and to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ErrorClass {
    pub(crate) kind: ErrorKind,
    /// What happened and what to do.
    pub(crate) message: &'static str,
    /// Whether the service may have carried the request out.
    pub(crate) applied: Applied,
    /// Whether the same request may succeed soon.
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

    /// The request failed on the way, there or back.
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

    /// Whether the service asks for fewer requests.
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
            "no connection can be made; are the region, the `endpoint` and the network right?",
        )
        .transient(),
        Fault::ConnectionBroken(_) => ErrorClass::connection_failed(ErrorKind::Unavailable, "the connection broke"),
        Fault::UnreadableResponse(500..) => ErrorClass::connection_failed(
            ErrorKind::Unavailable,
            "the service, or something in between, failed to answer",
        ),
        Fault::UnreadableResponse(_) => ErrorClass::connection_failed(
            ErrorKind::Unavailable,
            "the answer broke off, or is none of DynamoDB's; is the `endpoint` right?",
        ),
        Fault::Credentials(_) => ErrorClass::refused(
            ErrorKind::Denied,
            "the AWS SDK finds no credentials; set AWS_PROFILE or AWS_ACCESS_KEY_ID, or give the machine a role",
        ),
        Fault::CredentialsTimedOut(_) => ErrorClass::refused(
            ErrorKind::Unavailable,
            "whoever gives the credentials (the machine's metadata, a token service) does not answer",
        )
        .transient(),
        Fault::InvalidRequest(_) => ErrorClass::refused(
            ErrorKind::Config,
            "the request could not be made; is a region set (`region`, or AWS_REGION)?",
        ),
    }
}

const NO_ANSWER: &str = "no answer came in the configured time (`operation_timeout`)";

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
            "somebody else's transaction, or another Region, holds the item",
        )
        .transient(),
        ACCESS_DENIED => ErrorClass::refused(
            ErrorKind::Denied,
            "the credentials lack a permission; see the policy in the documentation",
        ),
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "IncompleteSignatureException"
        | "MissingAuthenticationTokenException"
        | "MissingAuthenticationToken"
        | "ExpiredTokenException" => ErrorClass::refused(
            ErrorKind::Denied,
            "the service refuses the credentials; are they of this account, not expired, and the machine's clock right?",
        ),
        "ResourceNotFoundException" => ErrorClass::refused(
            ErrorKind::Config,
            "there is no such table; are its name and the region right?",
        ),
        "ResourceInUseException" => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the table is being created, changed or deleted",
        )
        .transient(),
        "ValidationException" if message.contains("Item size") => ErrorClass::refused(
            ErrorKind::TooLarge,
            "the item would be over 400 KB; does the account have thousands of sessions?",
        ),
        "ItemCollectionSizeLimitExceededException" => ErrorClass::refused(
            ErrorKind::Full,
            "the account's partition is at its 10 GB; the table must have no local secondary index",
        ),
        "ValidationException" | "SerializationException" | "UnknownOperationException" => {
            ErrorClass::refused(
                ErrorKind::Unexpected,
                "the service refused a request as this library does not mean to send it; is the table's key `pk` and `sk`?",
            )
        }
        code if code.starts_with("KMS") => ErrorClass::refused(
            ErrorKind::Denied,
            "the table's key in KMS can't be used; check its state and its policy",
        ),
        _ if status >= 500 => {
            ErrorClass::connection_failed(ErrorKind::Unavailable, "the service failed")
        }
        _ => ErrorClass::refused(
            ErrorKind::Unexpected,
            "the service refused in a way this release does not know",
        ),
    }
}

const THROTTLED: &str =
    "the table is over its throughput; raise its capacity, or its on-demand maximum";

/// The fault as the source of our error: what the service or the connection said, and nothing of what was sent.
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

/// Our error for a fault of the request that `action` names, met while trying to `operation`.
pub(crate) fn from_fault(operation: &'static str, action: &'static str, fault: &Fault) -> Error {
    let class = classify(fault);
    let text = match fault {
        Fault::Service { code, message, .. } => format!("{action}: {code}: {message}"),
        Fault::UnreadableResponse(status) => {
            format!("{action}: an answer with the status {status}")
        }
        Fault::TimedOut => format!("{action}: no answer"),
        Fault::Unreachable(text)
        | Fault::ConnectionBroken(text)
        | Fault::Credentials(text)
        | Fault::CredentialsTimedOut(text)
        | Fault::InvalidRequest(text) => format!("{action}: {text}"),
    };
    let message = match fault {
        Fault::Service { code, .. } if code == ACCESS_DENIED => {
            format!("the credentials lack `{action}`; see the policy in the documentation")
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

/// What the service calls the refusal that an error came from.
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

/// The service answered with something else than its documentation says.
pub(crate) fn unexpected(operation: &'static str) -> Error {
    Error::new(ErrorKind::Unexpected, operation)
        .store(crate::STORE)
        .message("the service's answer is not what its documentation says; is it DynamoDB?")
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
