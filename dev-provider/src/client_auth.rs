use axum::http::{HeaderMap, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use url::form_urlencoded;

use super::{
    RegisteredClient, form::Parameters, oauth_error::OAuthError, proof::is_same, registry::Registry,
};

/// The client that sends a request (RFC 6749 section 2.3): by HTTP Basic, by its secret in the form, or, where it has none, by its id.
pub(super) fn client<'a>(
    registry: &'a Registry,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<&'a RegisteredClient, OAuthError> {
    let (basic, posted) = (basic(headers)?, form.value("client_secret"));
    let (id, secret) = match (basic, posted) {
        (Some(_), Some(_)) => {
            return Err(OAuthError::request("the client authenticates in two ways"));
        }
        (Some((id, secret)), None) => {
            if form.value("client_id").is_some_and(|other| other != id) {
                return Err(OAuthError::request("two different client ids"));
            }
            (id, Some(secret))
        }
        (None, posted) => {
            let id = form.value("client_id").unwrap_or_default();
            (id.to_owned(), posted.map(str::to_owned))
        }
    };
    let client = registry.client(&id);
    let client = client.ok_or(OAuthError::client("the client is not registered here"))?;
    let is_authentic = match (&client.secret, &secret) {
        (Some(secret), Some(sent)) => is_same(secret, sent),
        // A public client may come by Basic with an empty password.
        (None, sent) => sent.as_deref().unwrap_or_default().is_empty(),
        (Some(_), None) => false,
    };
    if is_authentic {
        Ok(client)
    } else {
        Err(OAuthError::client(
            "the client's secret is wrong or missing",
        ))
    }
}

/// Both parts are form-encoded before they are put together.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let parsed = || {
        let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
        let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some((form_decoded(id), form_decoded(secret)))
    };
    match parsed() {
        Some(pair) => Ok(Some(pair)),
        None => Err(OAuthError::client("Authorization is not HTTP Basic")),
    }
}

fn form_decoded(text: &str) -> String {
    // Without `=` and `&` it is one name.
    let text = text.replace('=', "%3D").replace('&', "%26");
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    pairs
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}
