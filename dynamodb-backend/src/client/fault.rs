use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::error::Fault;

/// Returns the fault in an SDK error, without the response that the error holds, since it contains items.
pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(fault) = no_credentials(error) {
        return fault;
    }
    match error {
        SdkError::ServiceError(refused) => Fault::Service {
            status: refused.raw().status().as_u16(),
            code: refused.err().code().unwrap_or_default().to_owned(),
            message: refused.err().message().unwrap_or_default().to_owned(),
        },
        SdkError::TimeoutError(_) => Fault::TimedOut,
        SdkError::DispatchFailure(failure) => {
            let text = failure
                .as_connector_error()
                .map(|error| chain(error))
                .unwrap_or_default();
            if failure.is_user() || lacks_region(&text) {
                Fault::InvalidRequest(text)
            } else if never_connected(&text) {
                Fault::Unreachable(text)
            } else {
                Fault::ConnectionBroken(text)
            }
        }
        SdkError::ResponseError(answer) => {
            Fault::UnreadableResponse(answer.raw().status().as_u16())
        }
        SdkError::ConstructionFailure(_) => Fault::InvalidRequest(chain(error)),
        _ => Fault::InvalidRequest("an unknown kind of SDK error".to_owned()),
    }
}

/// Returns the messages of an error and its sources in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<String> = sources(error).map(ToString::to_string).collect();
    texts.join(": ")
}

fn sources<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let next = |error: &&'a (dyn Error + 'static)| (*error).source();
    std::iter::successors(Some(error), next)
}

/// Returns the fault if there are no credentials, or if their provider failed. Without any provider, the error has no type and is
/// recognised by its text.
fn no_credentials(error: &(dyn Error + 'static)) -> Option<Fault> {
    let mut sources = sources(error);
    sources.find_map(|error| match error.downcast_ref::<CredentialsError>() {
        Some(CredentialsError::ProviderTimedOut(_) | CredentialsError::ProviderError(_)) => {
            Some(Fault::CredentialsTimedOut(chain(error)))
        }
        Some(_) => Some(Fault::Credentials(chain(error))),
        None => {
            let none = error.to_string().contains("no identity resolver");
            none.then(|| Fault::Credentials(chain(error)))
        }
    })
}

/// Returns whether the SDK reports a missing Region.
fn lacks_region(text: &str) -> bool {
    ["missing signing region", "Invalid Configuration"]
        .iter()
        .any(|words| text.contains(words))
}

/// Returns whether the SDK reports that no connection was opened, so that the request was not sent.
fn never_connected(text: &str) -> bool {
    [
        "client error (Connect)",
        "HTTP connect timeout",
        "dns error",
    ]
    .iter()
    .any(|words| text.contains(words))
}
