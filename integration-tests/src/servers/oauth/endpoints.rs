use std::fmt;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use serde_json::json;

use super::answer::{self, Answer};
use super::state::Shared;
use super::{AskedOfProvider, ProviderFault};

pub(super) const TOKEN: &str = "/token";
pub(super) const REVOCATION: &str = "/revoke";

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Closes the connection instead of answering.
#[derive(Debug)]
pub(super) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is closed")
    }
}

impl std::error::Error for Broken {}

pub(super) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Answer, Broken> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let path = parts.uri.path();
    if parts.method != Method::POST || ![TOKEN, REVOCATION].contains(&path) {
        return Ok(answer::empty(StatusCode::NOT_FOUND));
    }
    let asked = AskedOfProvider::new(path, &parts.headers, &body);
    let fault = shared.arrived(asked.clone());
    if asked.path == REVOCATION {
        return meet(fault, || revoke(&shared, &asked));
    }
    let is_refresh = asked.parameter("grant_type") == "refresh_token";
    if is_refresh {
        shared.grants().arrived(asked.parameter("refresh_token"));
    }
    let answer = meet(fault, || tokens(&shared, &asked));
    if is_refresh {
        let delay = shared.state().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        shared.held().await;
    }
    answer
}

/// Carries a request out, or applies a fault to it.
fn meet(
    fault: Option<ProviderFault>,
    carry_out: impl FnOnce() -> Answer,
) -> Result<Answer, Broken> {
    match fault {
        None => Ok(carry_out()),
        Some(ProviderFault::Unavailable { retry_after }) => {
            Ok(answer::busy(StatusCode::SERVICE_UNAVAILABLE, retry_after))
        }
        Some(ProviderFault::TooMany { retry_after }) => Ok(answer::busy(
            StatusCode::TOO_MANY_REQUESTS,
            Some(retry_after),
        )),
        Some(ProviderFault::Code(code)) => Ok(answer::error(StatusCode::BAD_REQUEST, code)),
        Some(ProviderFault::CutRequest) => Err(Broken),
        Some(ProviderFault::DropAnswer) => {
            carry_out();
            Err(Broken)
        }
        Some(ProviderFault::Malformed) => {
            carry_out();
            let page = "<html>one moment, please</html>".to_owned();
            Ok(answer::text(StatusCode::OK, page))
        }
        Some(ProviderFault::NoAccessToken) => {
            carry_out();
            let lacking = json!({"token_type": "Bearer", "expires_in": 3600});
            Ok(answer::json(StatusCode::OK, &lacking))
        }
    }
}

fn revoke(shared: &Shared, asked: &AskedOfProvider) -> Answer {
    if !asked.is_authentic {
        return answer::error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    shared.grants().revoke(asked.parameter("token"));
    answer::empty(StatusCode::OK)
}

fn tokens(shared: &Shared, asked: &AskedOfProvider) -> Answer {
    if !asked.is_authentic {
        return answer::error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let mut grants = shared.grants();
    let minted = match asked.parameter("grant_type") {
        "refresh_token" => grants.rotate(asked.parameter("refresh_token")),
        "client_credentials" => {
            let family = grants.begin_family("");
            Some(grants.mint_access(family))
        }
        TOKEN_EXCHANGE => grants.exchange(asked.parameter("subject_token")),
        JWT_BEARER => grants.exchange(asked.parameter("assertion")),
        _ => return answer::error(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
    };
    let Some(minted) = minted else {
        return answer::error(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    let mut response = answer::tokens(&minted, grants.lifetime());
    for echoed in ["scope", "resource"] {
        if let Some(value) = asked.form.get(echoed) {
            response[echoed] = value.as_str().into();
        }
    }
    if asked.parameter("grant_type") == TOKEN_EXCHANGE {
        response["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token".into();
    }
    answer::json(StatusCode::OK, &response)
}
