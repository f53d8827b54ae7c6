use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use serde_json::json;

use super::{answer, oauth_error::OAuthError, shared::Shared};

/// `GET` or `POST /userinfo`, with an access token (OpenID Connect Core 1.0 section 5.3).
pub(super) async fn asked(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, OAuthError> {
    let value = headers.get(header::AUTHORIZATION);
    let (scheme, token) = value
        .and_then(|value| value.to_str().ok()?.split_once(' '))
        .ok_or(OAuthError::bearer("an access token is needed"))?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(OAuthError::bearer("an access token is needed"));
    }
    let grants = shared.grants();
    let grant = grants.bearer(token.trim()).ok_or(OAuthError::bearer(
        "the access token has expired, was revoked, or was never issued",
    ))?;
    let claims = json!({
        "sub": grant.subject,
        "name": grant.name,
        "preferred_username": grant.name,
    });
    Ok(answer::json(StatusCode::OK, &claims))
}
