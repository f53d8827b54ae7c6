use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    clients::authenticated,
    crypto::{half_hash, random_text},
    error::OAuthError,
    events::Event,
    grants::{Fresh, Grant, Spent},
    http::{self, Parameters},
    state::{Shared, now},
};

const ID_TOKEN_LIFETIME: u64 = 5 * 60;

/// The ID token (OpenID Connect Core 1.0 section 2).
#[derive(Serialize)]
struct IdToken<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
    auth_time: u64,
    sid: &'a str,
    at_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    name: &'a str,
    preferred_username: &'a str,
}

#[derive(Serialize)]
struct Tokens<'a> {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: String,
    id_token: String,
    scope: &'a str,
}

/// `POST /token`.
pub(crate) async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let form = Parameters::parse(&body)?;
    if form.repeats_any() {
        return Err(OAuthError::request("a parameter came twice"));
    }
    let client = authenticated(&shared.clients, &headers, &form)?.id.clone();
    match form.value("grant_type") {
        Some("authorization_code") => exchanged(&shared, &form, &client),
        Some("refresh_token") => refreshed(&shared, &form, client).await,
        Some(_) => Err(OAuthError::bad(
            "unsupported_grant_type",
            "grant_type must be authorization_code or refresh_token",
        )),
        None => Err(OAuthError::request("grant_type is missing")),
    }
}

fn exchanged(shared: &Shared, form: &Parameters, client: &str) -> Result<Response, OAuthError> {
    let value = |name| form.value(name).unwrap_or_default();
    let fresh = fresh()?;
    let exchanged = shared.grants().exchange(
        value("code"),
        client,
        value("redirect_uri"),
        value("code_verifier"),
        &fresh,
    );
    let grant = exchanged.map_err(|spent| refusal(shared, client, &spent))?;
    let nonce = grant.nonce.clone();
    tokens(shared, &grant, fresh, nonce.as_deref())
}

async fn refreshed(
    shared: &Shared,
    form: &Parameters,
    client: String,
) -> Result<Response, OAuthError> {
    let sent = form.value("refresh_token").unwrap_or_default();
    let fresh = fresh()?;
    let rotated = shared.grants().rotate(sent, &client, &fresh);
    let grant = rotated.map_err(|spent| refusal(shared, &client, &spent))?;
    let response = tokens(shared, &grant, fresh, None)?;
    shared.journal.note(Event::RefreshAsked {
        client: client.clone(),
    });
    shared.gate.pass().await;
    shared.journal.note(Event::RefreshAnswered { client });
    Ok(response)
}

fn fresh() -> Result<Fresh, OAuthError> {
    Ok(Fresh {
        access_token: random_text()?,
        refresh_token: random_text()?,
    })
}

fn refusal(shared: &Shared, client: &str, spent: &Spent) -> OAuthError {
    match spent {
        Spent::Invalid(error) => *error,
        Spent::Again => {
            shared.journal.note(Event::Reused {
                client: client.to_owned(),
            });
            OAuthError::grant("it was used before, so all tokens of this sign-in are revoked")
        }
    }
}

fn tokens(
    shared: &Shared,
    grant: &Grant,
    fresh: Fresh,
    nonce: Option<&str>,
) -> Result<Response, OAuthError> {
    let now = now();
    let id_token = IdToken {
        iss: &shared.issuer,
        sub: &grant.subject,
        aud: &grant.client,
        iat: now,
        exp: now + ID_TOKEN_LIFETIME,
        auth_time: grant.auth_time,
        sid: &grant.sid,
        at_hash: half_hash(&fresh.access_token),
        nonce,
        name: &grant.name,
        preferred_username: &grant.name,
    };
    let tokens = Tokens {
        id_token: shared.key.sign("JWT", &id_token)?,
        access_token: fresh.access_token,
        token_type: "Bearer",
        expires_in: shared.settings.access_token_lifetime.as_secs(),
        refresh_token: fresh.refresh_token,
        scope: &grant.scope,
    };
    Ok(http::json(StatusCode::OK, &tokens))
}

/// `GET` or `POST /userinfo`, with an access token (OpenID Connect Core 1.0 section 5.3).
pub(crate) async fn userinfo(
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
    Ok(http::json(StatusCode::OK, &claims))
}

/// `POST /revoke` (RFC 7009). What is not known is as good as revoked.
pub(crate) async fn revoke(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let form = Parameters::parse(&body)?;
    if form.repeats_any() {
        return Err(OAuthError::request("a parameter came twice"));
    }
    let client = authenticated(&shared.clients, &headers, &form)?;
    let token = form.value("token");
    let token = token.ok_or(OAuthError::request("token is missing"))?;
    let is_revoked = shared.grants().revoke(token, &client.id);
    if is_revoked {
        shared.journal.note(Event::Revoked {
            client: client.id.clone(),
        });
    }
    Ok(http::empty(StatusCode::OK))
}

/// The session that an ID token was issued in. The token may have expired, since it is only a hint.
#[derive(Deserialize)]
pub(crate) struct IdTokenHint {
    iss: String,
    pub(crate) sub: String,
    pub(crate) aud: String,
    pub(crate) sid: String,
}

impl IdTokenHint {
    /// Returns `None` if the text is not an ID token of this provider.
    pub(crate) fn open(shared: &Shared, token: &str) -> Option<Self> {
        let hint: Option<Self> = shared.key.open("JWT", token);
        hint.filter(|hint| hint.iss == shared.issuer)
    }
}
