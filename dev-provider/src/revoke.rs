use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{
    answer, client_auth::client, events::Event, form::Parameters, oauth_error::OAuthError,
    shared::Shared,
};

/// `POST /revoke` (RFC 7009). What is not known is as good as revoked.
pub(super) async fn asked(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let form = Parameters::parse(&body)?;
    if form.repeats_any() {
        return Err(OAuthError::request("a parameter came twice"));
    }
    let client = client(&shared.registry, &headers, &form)?;
    let token = form.value("token");
    let token = token.ok_or(OAuthError::request("token is missing"))?;
    let is_revoked = shared.grants().revoke(token, &client.id);
    if is_revoked {
        shared.journal.note(Event::Revoked {
            client: client.id.clone(),
        });
    }
    Ok(answer::empty(StatusCode::OK))
}
