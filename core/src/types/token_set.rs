use std::{collections::BTreeMap, fmt};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::Error as _};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Error, ErrorKind, RefreshError, Result, Timestamp,
    types::token_response::{TokenResponse, token},
};

/// The token type of a response without one (RFC 6750).
const BEARER: &str = "Bearer";

/// The tokens of one authorization: the content of an OAuth 2.0 token response (RFC 6749 section 5.1, OpenID Connect Core 1.0 section
/// 3.1.3.3).
///
/// An app creates it from the provider's token response with [`from_response`](Self::from_response), and stores it with
/// [`Session::put`](crate::Session::put). [`Entry::tokens`](crate::Entry::tokens) returns it again. All times are on the store's clock.
///
/// The access token is never empty. A refresh token or an ID token, if present, is not empty either.
///
/// Serialization writes the tokens in clear text: use it for encrypted storage and for HTTP bodies, never for logs. Deserialization fails
/// if the access token is missing or empty. `Debug` prints no token.
///
/// ```
/// use token_cache::{Timestamp, TokenSet};
///
/// let response = serde_json::json!({
///     "access_token": "at-1", "token_type": "Bearer", "expires_in": 3600,
///     "refresh_token": "rt-1", "scope": "openid mail", "tenant": "acme",
/// });
/// let tokens = TokenSet::from_response(&response, Timestamp::from_secs(1_700_000_000))?;
/// assert_eq!(tokens.expires_at(), Some(Timestamp::from_secs(1_700_003_600)));
/// assert_eq!(tokens.scopes(), ["openid", "mail"]);
/// assert_eq!(tokens.extra()["tenant"], "acme");
/// # Ok::<(), token_cache::Error>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenSet {
    #[serde(serialize_with = "expose", deserialize_with = "required")]
    access_token: SecretString,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "expose_some",
        deserialize_with = "optional"
    )]
    refresh_token: Option<SecretString>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "expose_some",
        deserialize_with = "optional"
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

impl TokenSet {
    /// Creates a token set from an access token alone, for example in a test. For a token response, use
    /// [`from_response`](Self::from_response).
    ///
    /// The token type is `Bearer` (RFC 6750). The set has no other token, no scopes, no expiry and no time of issue. Add them with the
    /// methods whose names begin with `with_`.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) if the access token is empty or only white space.
    pub fn new(access_token: impl Into<String>) -> Result<Self> {
        let access_token = token(access_token.into()).ok_or_else(|| {
            Error::misuse(
                "make a token set",
                "the access token is empty; pass the `access_token` of a token response",
            )
        })?;
        Ok(Self {
            access_token,
            refresh_token: None,
            id_token: None,
            token_type: BEARER.to_owned(),
            expires_at: None,
            issued_at: None,
            scopes: Vec::new(),
            extra: BTreeMap::new(),
        })
    }

    /// Creates a token set from the provider's token response.
    ///
    /// `response` is anything that serializes to the JSON object of a token response, such as the `TokenResponse` of the crates `oauth2`
    /// and `openidconnect`. See [`from_json`](Self::from_json) for what is accepted.
    ///
    /// `sent_at` is the time before the token request was sent, from [`TokenCache::now`](crate::TokenCache::now). The lifetime in the
    /// response (`expires_in`) is counted from it. With a later time, the access token would count as valid after it has expired.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) if `response` does not serialize to JSON, or has no access token. If there is no access token, the
    /// error's source is the [`RefreshError`] that [`from_json`](Self::from_json) returns.
    pub fn from_response(response: &impl Serialize, sent_at: Timestamp) -> Result<Self> {
        const OPERATION: &str = "read a token response";
        let json = serde_json::to_vec(response)
            .map(Zeroizing::new)
            .map_err(|_| {
                Error::misuse(
                    OPERATION,
                    "the response does not serialize to JSON; pass the provider's token response",
                )
            })?;
        Self::from_json(&json, sent_at)
            .map_err(|error| Error::misuse(OPERATION, error.to_string()).with_source(error))
    }

    /// Creates a token set from the body of a token response, which is a JSON object (RFC 6749 section 5.1).
    ///
    /// `sent_at` is the time before the token request was sent, from [`TokenCache::now`](crate::TokenCache::now). The lifetime in the
    /// response (`expires_in`) is counted from it. With a later time, the access token would count as valid after it has expired.
    ///
    /// Every complete response with an access token is accepted, because refusing it would discard the refresh token in it:
    /// - A lifetime that is sent as text, and scopes that are sent as an array, are converted.
    /// - Any other member of a wrong type is ignored and logged at WARN.
    /// - A lifetime that is missing, zero, negative, over ten years or unreadable is unknown: [`expires_at`](Self::expires_at) returns
    ///   `None`.
    /// - A missing token type means `Bearer`.
    /// - An empty refresh token or ID token counts as absent.
    ///
    /// ```
    /// use token_cache::{Timestamp, TokenSet};
    ///
    /// let body = br#"{"access_token": "at-1", "expires_in": "3600", "scope": ["openid", "mail"]}"#;
    /// let tokens = TokenSet::from_json(body, Timestamp::from_secs(1_700_000_000))?;
    /// assert_eq!(tokens.expires_at(), Some(Timestamp::from_secs(1_700_003_600)));
    /// # Ok::<(), token_cache::refresh::RefreshError>(())
    /// ```
    ///
    /// # Errors
    /// A [`RefreshError`] of kind [`Malformed`](crate::RefreshErrorKind::Malformed) if the body has no access token. If it has a refresh
    /// token nevertheless, [`RefreshError::new_refresh_token`] returns that token, and a refresh stores it. The same kind is returned for a
    /// truncated body that does not have both an access token and a refresh token.
    pub fn from_json(body: &[u8], sent_at: Timestamp) -> Result<Self, RefreshError> {
        let response = TokenResponse::read(body);
        let Some(access_token) = response.access_token else {
            let error = RefreshError::malformed(
                "the provider's answer is not a token response of RFC 6749, section 5.1: it has no access token",
            )
            .answer_lost();
            return Err(match response.refresh_token {
                Some(refresh_token) => error.with_new_refresh_token(refresh_token),
                None => error,
            });
        };
        Ok(Self {
            access_token,
            refresh_token: response.refresh_token,
            id_token: response.id_token,
            token_type: response.token_type.unwrap_or_else(|| BEARER.to_owned()),
            expires_at: response.lifetime.map(|lifetime| sent_at + lifetime),
            issued_at: Some(sent_at),
            scopes: response.scopes,
            extra: response.extra,
        })
    }

    /// Sets the refresh token, in place of the one that the set has. An empty text, or one of only white space, removes it: the set then
    /// cannot be refreshed.
    pub fn with_refresh_token(mut self, refresh_token: impl Into<String>) -> Self {
        self.refresh_token = token(refresh_token.into());
        self
    }

    /// Sets the ID token, in place of the one that the set has. An empty text, or one of only white space, removes it.
    pub fn with_id_token(mut self, id_token: impl Into<String>) -> Self {
        self.id_token = token(id_token.into());
        self
    }

    /// Sets the time at which the access token expires, on the store's clock. [`Session::put`](crate::Session::put) refuses a set that has
    /// expired and has no refresh token with [`Misuse`](ErrorKind::Misuse).
    ///
    /// Without an expiry, a refreshing read ([`Session::get_or_refresh`](crate::Session::get_or_refresh)) treats the access token as valid
    /// as long as the session lives. The exception is a set that has a time of issue and can be refreshed: then
    /// [`RefreshPolicy::default_lifetime`](crate::RefreshPolicy::default_lifetime) applies, if it is set.
    pub fn with_expires_at(mut self, expires_at: Timestamp) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Sets the time at which the access token was issued, on the store's clock.
    ///
    /// The time from issue to expiry is the token's lifetime. In the last tenth of the lifetime, a refreshing read
    /// ([`Session::get_or_refresh`](crate::Session::get_or_refresh)) returns the token and refreshes it in the background. Without a time
    /// of issue, it does so in the last 30 seconds before the expiry.
    pub fn with_issued_at(mut self, issued_at: Timestamp) -> Self {
        self.issued_at = Some(issued_at);
        self
    }

    /// Sets the scopes of the access token, in place of the scopes that the set has. A set of [`new`](Self::new) has no scopes.
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the access token.
    pub fn access_token(&self) -> &SecretString {
        &self.access_token
    }

    /// Returns the refresh token, or `None` if the set has no refresh token.
    pub fn refresh_token(&self) -> Option<&SecretString> {
        self.refresh_token.as_ref()
    }

    /// Returns the ID token, or `None` if the set has no ID token.
    pub fn id_token(&self) -> Option<&SecretString> {
        self.id_token.as_ref()
    }

    /// Returns the type of the access token, such as `Bearer`. It is `Bearer` if the token response stated no type.
    pub fn token_type(&self) -> &str {
        &self.token_type
    }

    /// Returns the time at which the access token expires, on the store's clock. Returns `None` if the token response stated no usable
    /// lifetime, or if the set comes from [`new`](Self::new) without [`with_expires_at`](Self::with_expires_at).
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Returns the time at which the access token was issued, on the store's clock. A token response counts as issued when its request was
    /// sent. Returns `None` for a set of [`new`](Self::new) without [`with_issued_at`](Self::with_issued_at).
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    /// Returns the scopes of the access token: the words of the member `scope` in the token response.
    ///
    /// The list is empty if the response had no such member. The provider then granted the scopes that were requested (RFC 6749 section
    /// 5.1). If the response to a refresh has no such member, the list has the scopes that the refresh requested. If the refresh requested
    /// none, it has the scopes of the old tokens.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Returns the members of the token response that no other method returns, such as `tenant`, by their names. These are all members
    /// except `access_token`, `refresh_token`, `id_token`, `token_type`, `expires_in` and `scope`.
    ///
    /// The map is empty if the response had no other members, or if the set comes from [`new`](Self::new). A refresh replaces the whole map
    /// by the other members of its own response. The map is stored encrypted, together with the tokens.
    pub fn extra(&self) -> &BTreeMap<String, serde_json::Value> {
        &self.extra
    }

    /// Adds from `old` what an answer may omit because it is unchanged (RFC 6749 section 6): the refresh token, the ID token, the
    /// scopes.
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

    /// Removes the expiry: the lifetime is unknown.
    pub(crate) fn without_expiry(mut self) -> Self {
        self.expires_at = None;
        self
    }

    pub(crate) fn without_refresh_token(mut self) -> Self {
        self.refresh_token = None;
        self
    }

    /// Returns when the set becomes useless. With a refresh token, it is useful as long as its session lives.
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

    /// Drops the parser's own message, which could quote a token.
    pub(crate) fn from_stored(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json).map_err(|_| {
            Error::new(ErrorKind::Corrupt, "decode a token set")
                .message("the bytes are not a stored token set")
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

fn required<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let text = String::deserialize(deserializer)?;
    token(text).ok_or_else(|| D::Error::custom("the access token is empty"))
}

fn optional<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(token))
}
