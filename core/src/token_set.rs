use std::{collections::BTreeMap, fmt, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, ErrorKind, Result, Timestamp};

/// The tokens one authorization gave: what an OAuth 2.0 token response carries (RFC 6749 section 5.1, OpenID Connect
/// Core 1.0 section 3.1.3.3).
///
/// Serializing it writes the tokens in clear: it is meant for sealed stores and HTTP bodies, not for logs. `Debug`
/// prints none of them.
///
/// ```
/// use token_cache_core::{Timestamp, TokenSet};
///
/// let response = serde_json::json!({
///     "access_token": "at-1", "token_type": "Bearer", "expires_in": 3600,
///     "refresh_token": "rt-1", "scope": "openid mail", "tenant": "acme",
/// });
/// let tokens = TokenSet::from_response(&response, Timestamp::from_secs(1_700_000_000))?;
/// assert_eq!(tokens.expires_at(), Some(Timestamp::from_secs(1_700_003_600)));
/// assert_eq!(tokens.scopes(), ["openid", "mail"]);
/// assert_eq!(tokens.extra()["tenant"], "acme");
/// # Ok::<(), token_cache_core::Error>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenSet {
    #[serde(serialize_with = "expose")]
    access_token: SecretString,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "expose_some"
    )]
    refresh_token: Option<SecretString>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "expose_some"
    )]
    id_token: Option<SecretString>,
    token_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    extra: BTreeMap<String, serde_json::Value>,
}

/// The members of a token response that have a meaning here; the rest is kept as it is.
#[derive(Deserialize)]
struct Response {
    access_token: SecretString,
    token_type: String,
    #[serde(default)]
    expires_in: Option<u64>,
    #[serde(default)]
    refresh_token: Option<SecretString>,
    #[serde(default)]
    id_token: Option<SecretString>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(flatten)]
    extra: BTreeMap<String, serde_json::Value>,
}

impl TokenSet {
    /// A bearer token (RFC 6750) that nothing else is known of.
    pub fn new(access_token: impl Into<String>) -> Self {
        Self {
            access_token: access_token.into().into(),
            refresh_token: None,
            id_token: None,
            token_type: "Bearer".to_owned(),
            expires_at: None,
            issued_at: None,
            scopes: Vec::new(),
            extra: BTreeMap::new(),
        }
    }

    /// Takes a token response that arrived at `received_at`: its JSON, or the `TokenResponse` of the crates `oauth2` and
    /// `openidconnect`, which serialize to it. A refresh token or an ID token that is empty is taken for none.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) where it lacks an access token or a token type, or a member has another type than
    /// RFC 6749 says.
    pub fn from_response(response: &impl Serialize, received_at: Timestamp) -> Result<Self> {
        let refused = |_| {
            Error::misuse(
                "read a token response",
                "it is no successful token response of RFC 6749, section 5.1",
            )
        };
        let json = Zeroizing::new(serde_json::to_vec(response).map_err(refused)?);
        let response: Response = serde_json::from_slice(&json).map_err(refused)?;
        Ok(Self {
            access_token: response.access_token,
            refresh_token: response.refresh_token,
            id_token: response.id_token,
            token_type: response.token_type,
            expires_at: response
                .expires_in
                .map(|secs| received_at + Duration::from_secs(secs)),
            issued_at: Some(received_at),
            scopes: response
                .scope
                .map(|scope| scope.split_ascii_whitespace().map(str::to_owned).collect())
                .unwrap_or_default(),
            extra: response.extra,
        }
        .without_empty())
    }

    /// Adds a refresh token.
    pub fn with_refresh_token(mut self, token: impl Into<String>) -> Self {
        self.refresh_token = Some(token.into().into());
        self
    }

    /// Adds an ID token.
    pub fn with_id_token(mut self, token: impl Into<String>) -> Self {
        self.id_token = Some(token.into().into());
        self
    }

    /// Says when the access token expires.
    pub fn with_expires_at(mut self, expires_at: Timestamp) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Says when the access token was issued. With its expiry this is its life, in the last tenth of which it is refreshed
    /// ahead.
    pub fn with_issued_at(mut self, issued_at: Timestamp) -> Self {
        self.issued_at = Some(issued_at);
        self
    }

    /// Says what the access token allows.
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The access token.
    pub fn access_token(&self) -> &SecretString {
        &self.access_token
    }

    /// The refresh token.
    pub fn refresh_token(&self) -> Option<&SecretString> {
        self.refresh_token.as_ref()
    }

    /// The ID token.
    pub fn id_token(&self) -> Option<&SecretString> {
        self.id_token.as_ref()
    }

    /// How the access token is used, such as `Bearer`.
    pub fn token_type(&self) -> &str {
        &self.token_type
    }

    /// When the access token expires.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// When the access token was issued.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    /// What the access token allows.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Members of the response without a meaning here.
    pub fn extra(&self) -> &BTreeMap<String, serde_json::Value> {
        &self.extra
    }

    /// Takes from `old` what an answer may leave out because it stays as it was (RFC 6749 section 6): the refresh token, the ID
    /// token, the scopes.
    pub(crate) fn or_else_of(mut self, old: &Self) -> Self {
        self.refresh_token = self
            .refresh_token
            .take()
            .or_else(|| old.refresh_token.clone());
        self.id_token = self.id_token.take().or_else(|| old.id_token.clone());
        if self.scopes.is_empty() {
            self.scopes.clone_from(&old.scopes);
        }
        self
    }

    /// A token that is empty is none: what some providers answer where they have no new one.
    pub(crate) fn without_empty(mut self) -> Self {
        for token in [&mut self.refresh_token, &mut self.id_token] {
            token.take_if(|token| token.expose_secret().is_empty());
        }
        self
    }

    pub(crate) fn without_refresh_token(mut self) -> Self {
        self.refresh_token = None;
        self
    }

    /// A set with a refresh token is of use for as long as its session lives.
    pub(crate) fn useful_until(&self) -> Option<Timestamp> {
        if self.refresh_token.is_some() {
            None
        } else {
            self.expires_at
        }
    }

    pub(crate) fn to_stored(&self) -> Result<Zeroizing<Vec<u8>>> {
        serde_json::to_vec(self)
            .map(Zeroizing::new)
            .map_err(|_| Error::new(ErrorKind::Unexpected, "encode a token set"))
    }

    /// The parser's own message could quote a token, so it is dropped.
    pub(crate) fn from_stored(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json).map_err(|_| {
            Error::new(ErrorKind::Corrupt, "decode a token set")
                .message("it is not what was stored")
        })
    }
}

impl Drop for TokenSet {
    fn drop(&mut self) {
        for value in self.extra.values_mut() {
            if let serde_json::Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSet")
            .field("access_token", &"[redacted]")
            .field(
                "refresh_token",
                &self.refresh_token.as_ref().map(|_| "[redacted]"),
            )
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

fn expose<S: serde::Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn expose_some<S: serde::Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    secret
        .as_ref()
        .map(ExposeSecret::expose_secret)
        .serialize(serializer)
}
