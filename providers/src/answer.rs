use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use token_cache_core::{RefreshError, Timestamp, TokenSet};

use crate::http::Answer;

/// An error answer (RFC 6749 section 5.2). Its description is the provider's prose, and is not kept.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// The tokens of an answer, or what it says instead.
pub(crate) fn tokens(answer: &Answer, sent_at: Timestamp) -> Result<TokenSet, RefreshError> {
    succeeded(answer)?;
    // The parser's own message could quote a token, so it is dropped.
    let malformed =
        || RefreshError::malformed("the provider's answer is no token response").answer_lost();
    let json: &RawValue = serde_json::from_slice(&answer.body).map_err(|_| malformed())?;
    TokenSet::from_response(&json, sent_at).map_err(|_| match refusal(answer) {
        // Some providers refuse with 200.
        Some(code) => RefreshError::of_code(&code),
        None => malformed(),
    })
}

/// `Ok` for the statuses of success; what a refusal says otherwise.
pub(crate) fn succeeded(answer: &Answer) -> Result<(), RefreshError> {
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
        match refusal(answer) {
            Some(code) => RefreshError::of_code(&code),
            None => RefreshError::refused(format!(
                "the provider answered {number} without an error code: check the endpoint's URL"
            )),
        }
    } else {
        RefreshError::malformed(format!(
            "the provider answered {number}, which is not followed: check the endpoint's URL"
        ))
    };
    Err(with_pause(error, answer.retry_after))
}

fn refusal(answer: &Answer) -> Option<String> {
    let refusal: Refusal = serde_json::from_slice(&answer.body).ok()?;
    Some(refusal.error)
}

fn with_pause(error: RefreshError, pause: Option<Duration>) -> RefreshError {
    match pause {
        Some(pause) => error.retry_after(pause),
        None => error,
    }
}
