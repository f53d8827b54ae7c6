use std::time::Duration;

use reqwest::StatusCode;
use token_cache_core::{ErrorResponse, RefreshError, RefreshErrorKind, Timestamp, TokenSet};

use crate::http::HttpResponse;

/// Returns the tokens in a response, or its error. `invalid_grant_codes` are additional error codes that mean `invalid_grant`.
pub(crate) fn read_tokens(
    response: &HttpResponse,
    sent_at: Timestamp,
    invalid_grant_codes: &[String],
) -> Result<TokenSet, RefreshError> {
    check_status(response, invalid_grant_codes)?;
    TokenSet::from_json(&response.body, sent_at).map_err(|malformed| {
        // Some providers send an error response with the status 200.
        error_response(response, invalid_grant_codes).unwrap_or(malformed)
    })
}

/// Returns `Ok` for a status of success, and otherwise the error in the response.
pub(crate) fn check_status(
    response: &HttpResponse,
    invalid_grant_codes: &[String],
) -> Result<(), RefreshError> {
    let status = response.status;
    if status.is_success() {
        return Ok(());
    }
    let number = status.as_u16();
    let may_pass = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    let of_gateway = [StatusCode::BAD_GATEWAY, StatusCode::GATEWAY_TIMEOUT];
    let error = if of_gateway.contains(&status) {
        // The server behind the gateway may have responded.
        RefreshError::transient(format!("the provider answered {number}")).answer_lost()
    } else if status.is_server_error() || may_pass.contains(&status) {
        RefreshError::transient(format!("the provider answered {number}"))
    } else if status.is_client_error() {
        error_response(response, invalid_grant_codes).unwrap_or_else(|| {
            RefreshError::refused(format!(
                "the provider answered {number} without an error code; check the URL of the endpoint"
            ))
        })
    } else {
        RefreshError::malformed(format!(
            "the provider answered with the redirect {number}, which is not followed; check the URL of the endpoint"
        ))
    };
    Err(with_retry_after(error, response.retry_after))
}

fn error_response(response: &HttpResponse, invalid_grant_codes: &[String]) -> Option<RefreshError> {
    let response = ErrorResponse::from_json(&response.body)?;
    let is_dead = |code: &str| invalid_grant_codes.iter().any(|dead| dead == code);
    let is_dead = is_dead(response.code()) || response.suberror().is_some_and(is_dead);
    let error = RefreshError::of_response(response);
    Some(if is_dead {
        error.with_kind(RefreshErrorKind::InvalidGrant)
    } else {
        error
    })
}

fn with_retry_after(error: RefreshError, pause: Option<Duration>) -> RefreshError {
    match pause {
        Some(pause) => error.retry_after(pause),
        None => error,
    }
}
