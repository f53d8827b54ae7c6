use std::time::Duration;

use reqwest::StatusCode;
use token_cache_core::{ErrorResponse, RefreshError, RefreshErrorKind, Timestamp, TokenSet};

use crate::http::Answer;

/// The tokens of an answer, or what it says instead. `dead_grants` are further error codes that mean `invalid_grant`.
pub(crate) fn tokens(
    answer: &Answer,
    sent_at: Timestamp,
    dead_grants: &[String],
) -> Result<TokenSet, RefreshError> {
    succeeded(answer, dead_grants)?;
    TokenSet::from_json(&answer.body, sent_at).map_err(|malformed| {
        // Some providers refuse with 200.
        refusal(answer, dead_grants).unwrap_or(malformed)
    })
}

/// `Ok` for the statuses of success; what a refusal says otherwise.
pub(crate) fn succeeded(answer: &Answer, dead_grants: &[String]) -> Result<(), RefreshError> {
    let status = answer.status;
    if status.is_success() {
        return Ok(());
    }
    let number = status.as_u16();
    let may_pass = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    let of_gateway = [StatusCode::BAD_GATEWAY, StatusCode::GATEWAY_TIMEOUT];
    let error = if of_gateway.contains(&status) {
        // What is behind it may have answered.
        RefreshError::transient(format!("the provider answered {number}")).answer_lost()
    } else if status.is_server_error() || may_pass.contains(&status) {
        RefreshError::transient(format!("the provider answered {number}"))
    } else if status.is_client_error() {
        refusal(answer, dead_grants).unwrap_or_else(|| {
            RefreshError::refused(format!(
                "the provider answered {number} without an error code: check the endpoint's URL"
            ))
        })
    } else {
        RefreshError::malformed(format!(
            "the provider answered {number}, which is not followed: check the endpoint's URL"
        ))
    };
    Err(with_pause(error, answer.retry_after))
}

fn refusal(answer: &Answer, dead_grants: &[String]) -> Option<RefreshError> {
    let response = ErrorResponse::from_json(&answer.body)?;
    let is_dead = |code: &str| dead_grants.iter().any(|dead| dead == code);
    let is_dead = is_dead(response.code()) || response.suberror().is_some_and(is_dead);
    let error = RefreshError::of_response(response);
    Some(if is_dead {
        error.with_kind(RefreshErrorKind::InvalidGrant)
    } else {
        error
    })
}

fn with_pause(error: RefreshError, pause: Option<Duration>) -> RefreshError {
    match pause {
        Some(pause) => error.retry_after(pause),
        None => error,
    }
}
