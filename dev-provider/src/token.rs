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
    crypto::half_hash,
    error::OAuthError,
    events::Event,
    grants::{Grant, Issued, Refused, Rotated},
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

/// A token response (RFC 6749 section 5.1, RFC 8693 section 2.2.1).
#[derive(Serialize)]
pub(crate) struct Tokens {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
}

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

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
    let client = shared.clients.authenticated(&headers, &form)?;
    let tokens = match form.value("grant_type") {
        Some("authorization_code") => exchanged(&shared, &form, &client)?,
        Some("refresh_token") => refreshed(&shared, &form, &client).await?,
        Some("client_credentials") => {
            let scope = form.value("scope").unwrap_or_default();
            of_client(&shared, &client, scope)?
        }
        Some(TOKEN_EXCHANGE) => Tokens {
            issued_token_type: Some(ACCESS_TOKEN),
            ..on_behalf_of(&shared, &form, "subject_token", &client)?
        },
        Some(JWT_BEARER) => on_behalf_of(&shared, &form, "assertion", &client)?,
        Some(_) => {
            return Err(OAuthError::bad(
                "unsupported_grant_type",
                "the discovery document lists no such grant_type",
            ));
        }
        None => return Err(OAuthError::request("grant_type is missing")),
    };
    Ok(http::json(StatusCode::OK, &tokens))
}

fn exchanged(shared: &Shared, form: &Parameters, client: &str) -> Result<Tokens, OAuthError> {
    let value = |name| form.value(name).unwrap_or_default();
    let lifetime = shared.settings().access_token_lifetime;
    let exchanged = shared.grants().exchange(
        value("code"),
        client,
        value("redirect_uri"),
        value("code_verifier"),
        lifetime,
    );
    let (grant, issued) = exchanged.map_err(|refused| refusal(shared, client, refused))?;
    tokens(shared, &grant, issued, grant.nonce.as_deref())
}

/// Its answer may be held back, whatever it is.
async fn refreshed(shared: &Shared, form: &Parameters, client: &str) -> Result<Tokens, OAuthError> {
    let refreshed = rotated(shared, form, client);
    shared.faults.pass().await;
    if refreshed.is_ok() {
        shared.journal.note(Event::RefreshAnswered {
            client: client.to_owned(),
        });
    }
    refreshed
}

fn rotated(shared: &Shared, form: &Parameters, client: &str) -> Result<Tokens, OAuthError> {
    let sent = form.value("refresh_token").unwrap_or_default();
    let (lifetime, grace) = {
        let settings = shared.settings();
        (settings.access_token_lifetime, settings.refresh_grace)
    };
    let rotated = shared.grants().rotate(sent, client, lifetime, grace);
    let Rotated {
        mut grant,
        issued,
        again,
    } = rotated.map_err(|refused| refusal(shared, client, refused))?;
    if let Some(scope) = form.value("scope") {
        scope.clone_into(&mut grant.scope);
    }
    let tokens = tokens(shared, &grant, issued, None)?;
    let client = client.to_owned();
    shared.journal.note(if again {
        Event::RefreshRepeated { client }
    } else {
        Event::RefreshAsked { client }
    });
    Ok(tokens)
}

/// Tokens of the client itself, without a user (RFC 6749 section 4.4).
fn of_client(shared: &Shared, client: &str, scope: &str) -> Result<Tokens, OAuthError> {
    let grant = Grant {
        client: client.to_owned(),
        name: client.to_owned(),
        subject: client.to_owned(),
        sid: String::new(),
        auth_time: now(),
        scope: scope.to_owned(),
        nonce: None,
    };
    access_token(shared, &grant)
}

/// An access token for the user of a token of this provider (RFC 8693, RFC 7523).
fn on_behalf_of(
    shared: &Shared,
    form: &Parameters,
    parameter: &str,
    client: &str,
) -> Result<Tokens, OAuthError> {
    let sent = form.value(parameter).unwrap_or_default();
    let of_user = shared.grants().live(sent).cloned();
    let of_user = of_user.ok_or(OAuthError::grant("there is no valid token of a user"))?;
    let grant = Grant {
        client: client.to_owned(),
        scope: form.value("scope").unwrap_or_default().to_owned(),
        nonce: None,
        ..of_user
    };
    access_token(shared, &grant)
}

fn access_token(shared: &Shared, grant: &Grant) -> Result<Tokens, OAuthError> {
    let lifetime = shared.settings().access_token_lifetime;
    let issued = shared
        .grants()
        .begin_with_tokens(grant.clone(), lifetime, false)?;
    Ok(Tokens {
        id_token: None,
        ..tokens(shared, grant, issued, None)?
    })
}

fn refusal(shared: &Shared, client: &str, refused: Refused) -> OAuthError {
    match refused {
        Refused::Error(error) => error,
        Refused::Again { revoked } => {
            shared.journal.note(Event::Reused {
                client: client.to_owned(),
            });
            shared.journal.revoked(u64::from(revoked));
            OAuthError::grant("it was used before, so all tokens of this sign-in are revoked")
        }
    }
}

/// The response with these tokens, and with an ID token if the grant is one of OpenID Connect.
pub(crate) fn tokens(
    shared: &Shared,
    grant: &Grant,
    issued: Issued,
    nonce: Option<&str>,
) -> Result<Tokens, OAuthError> {
    let now = now();
    let id_token = IdToken {
        iss: &shared.issuer,
        sub: &grant.subject,
        aud: &grant.client,
        iat: now,
        exp: now + ID_TOKEN_LIFETIME,
        auth_time: grant.auth_time,
        sid: &grant.sid,
        at_hash: half_hash(&issued.access_token),
        nonce,
        name: &grant.name,
        preferred_username: &grant.name,
    };
    let has_id_token = grant.has_scope("openid");
    Ok(Tokens {
        id_token: has_id_token
            .then(|| shared.key.sign("JWT", &id_token))
            .transpose()?,
        access_token: issued.access_token,
        token_type: "Bearer",
        expires_in: issued.lifetime.as_secs(),
        refresh_token: issued.refresh_token,
        scope: grant.scope.clone(),
        issued_token_type: None,
    })
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
    let client = shared.clients.authenticated(&headers, &form)?;
    let token = form.value("token");
    let token = token.ok_or(OAuthError::request("token is missing"))?;
    let ends_all = shared.settings().revocation_ends_all;
    let revoked = shared.grants().revoke(token, &client, ends_all);
    if let Some(grants) = revoked {
        shared.journal.revoked(grants);
        shared.journal.note(Event::Revoked { client });
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
