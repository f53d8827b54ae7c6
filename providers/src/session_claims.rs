use std::{fmt, sync::Once};

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use openidconnect::{
    ClaimsVerificationError, IdTokenVerifier, IssuerUrl, JsonWebKey, JwsSigningAlgorithm,
    NonceVerifier,
    core::{CoreIdToken, CoreJwsSigningAlgorithm},
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;
use token_cache_core::telemetry::warn;
use zeroize::Zeroizing;

/// Decodes whatever the crate `openidconnect` decodes: by the time it is used, the token was verified.
const LENIENT_BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The claims of a verified ID token that a session of the cache begins with, `sid` included.
///
/// `CoreIdTokenClaims` of the crate `openidconnect` has no `sid`. A session that begins with those claims is not ended by a logout
/// message that names only a `sid`. Pass these claims to
/// [`SignIn::from_claims`](token_cache_core::SignIn::from_claims) instead.
///
/// There is no way to read them from a token that was not verified.
///
/// ```
/// # use openidconnect::{ClaimsVerificationError, Nonce, core::CoreIdTokenVerifier};
/// # use token_cache_core::{Result, SignIn, StartedSignIn};
/// # use token_cache_providers::SessionClaims;
/// # fn callback(
/// #     id_token: &str, verifier: &CoreIdTokenVerifier<'_>, nonce: &Nonce, started: &StartedSignIn,
/// # ) -> std::result::Result<SignIn, Box<dyn std::error::Error>> {
/// // `verifier` is `client.id_token_verifier()`, and `id_token` is `response.id_token()` as a string.
/// let claims = SessionClaims::verify(id_token, verifier, nonce)?;
/// let sign_in = SignIn::from_claims(&claims, started)?;
/// # Ok(sign_in)
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SessionClaims {
    /// The issuer.
    pub iss: String,
    /// The issuer's name for the user.
    pub sub: String,
    /// The provider's name for its session (OpenID Connect Front-Channel Logout 1.0 section 3). An empty one counts as absent.
    #[serde(
        default,
        deserialize_with = "text",
        skip_serializing_if = "Option::is_none"
    )]
    pub sid: Option<String>,
    /// When the user authenticated, in seconds since 1970 (OpenID Connect Core 1.0 section 2).
    #[serde(
        default,
        deserialize_with = "seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub auth_time: Option<u64>,
    /// When the provider's session expires, in seconds since 1970 (OpenID IPSIE). It limits the lifetime of the app's session.
    #[serde(
        default,
        deserialize_with = "seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub session_expiry: Option<u64>,
}

impl SessionClaims {
    /// Verifies an ID token (signature, issuer, audience, expiry, nonce) and reads the claims from the bytes that were verified.
    ///
    /// # Errors
    /// Those of the verifier (OpenID Connect Core 1.0 section 3.1.3.7). `Other` if `id_token` is not an ID token, or a claim has
    /// another type than the specification requires. `Unsupported` if it is encrypted.
    ///
    /// A token that is signed with the client's secret is verified too, and logged at WARN once (`id_token_signed_with_secret`): a logout
    /// token that is signed so is refused.
    pub fn verify<K, N>(
        id_token: &str,
        verifier: &IdTokenVerifier<'_, K>,
        nonce: N,
    ) -> Result<Self, ClaimsVerificationError>
    where
        K: JsonWebKey<SigningAlgorithm = CoreJwsSigningAlgorithm>,
        N: NonceVerifier,
    {
        // The parsers' own messages could quote a claim, so they are dropped.
        let parsed: CoreIdToken = id_token
            .parse()
            .map_err(|_| invalid_id_token("it is not a signed ID token"))?;
        let claims = parsed.claims(verifier, nonce)?;
        if parsed
            .signing_alg()
            .is_ok_and(JwsSigningAlgorithm::uses_shared_secret)
        {
            warn_shared_secret(claims.issuer());
        }
        let payload = id_token.split('.').nth(1).unwrap_or_default();
        let payload = LENIENT_BASE64URL
            .decode(payload)
            .map(Zeroizing::new)
            .map_err(|_| invalid_id_token("its claims are not base64url"))?;
        serde_json::from_slice(&payload).map_err(|_| {
            invalid_id_token(
                "`sid`, `auth_time` or `session_expiry` has the wrong type, or comes twice",
            )
        })
    }
}

/// Prints no user and no `sid`.
impl fmt::Debug for SessionClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionClaims")
            .field("iss", &self.iss)
            .field("sid", &self.sid.as_ref().map(|_| "[redacted]"))
            .field("auth_time", &self.auth_time)
            .field("session_expiry", &self.session_expiry)
            .finish_non_exhaustive()
    }
}

/// Users can sign in like this, and logout tokens that are signed like this are refused. Every sign-in would repeat it.
fn warn_shared_secret(issuer: &IssuerUrl) {
    static LOGGED: Once = Once::new();
    LOGGED.call_once(|| {
        warn(
            "id_token_signed_with_secret",
            format_args!(
                "the ID tokens of {:?} are signed with the client's secret (HS256, HS384 or HS512). The sign-out routes accept only messages \
                 that are signed with the provider's own key, so this provider's logout tokens are refused. Have the client registered \
                 with `id_token_signed_response_alg` RS256 or ES256",
                issuer.as_str(),
            ),
        );
    });
}

fn invalid_id_token(why: &str) -> ClaimsVerificationError {
    ClaimsVerificationError::Other(format!("the ID token cannot be read: {why}"))
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// A `NumericDate` (RFC 7519 section 2) without its fraction. One before 1970 is 0, which sign-ins ignore with a log event.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and no date is negative by then"
)]
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let date = Option::<Number>::deserialize(deserializer)?;
    Ok(date.map(|date| {
        date.as_u64()
            .unwrap_or_else(|| date.as_f64().unwrap_or_default().max(0.0) as u64)
    }))
}
