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

/// Decodes everything that the crate `openidconnect` decodes. It reads tokens that are already verified.
const LENIENT_BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The claims of a verified ID token that the cache needs for a sign-in: `iss`, `sub`, `sid`, `auth_time` and `session_expiry`.
///
/// The app creates them with [`verify`](Self::verify) in the callback of a sign-in, and passes them to
/// [`SignIn::from_claims`](token_cache_core::SignIn::from_claims). Use them in place of `CoreIdTokenClaims` of the crate `openidconnect`,
/// which has no `sid`: a logout message that names only a `sid` would then not end the session.
///
/// ```
/// # use openidconnect::{ClaimsVerificationError, Nonce, core::CoreIdTokenVerifier};
/// # use token_cache::{Result, SignIn, StartedSignIn};
/// # use token_cache::providers::SessionClaims;
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
    /// The issuer of the ID token (claim `iss`): the URL of the provider, exactly as it is in the ID token.
    pub iss: String,
    /// The subject of the ID token (claim `sub`): the identifier of the user at the issuer. With [`iss`](Self::iss), it names the account.
    pub sub: String,
    /// The identifier of the provider's own session with the user (OpenID Connect Front-Channel Logout 1.0 section 3). It is `None` if the
    /// ID token has no `sid` or an empty one. A logout message that names only a `sid` then does not end the session in the cache.
    #[serde(
        default,
        deserialize_with = "text",
        skip_serializing_if = "Option::is_none"
    )]
    pub sid: Option<String>,
    /// The time at which the user authenticated, in seconds since 1970 (OpenID Connect Core 1.0 section 2). It is `None` if the ID token
    /// has no `auth_time`. The user then counts as authenticated five seconds before the authorization request of this sign-in.
    /// [`SignIn::from_claims`](token_cache_core::SignIn::from_claims) describes which times cannot be right, and what then happens.
    #[serde(
        default,
        deserialize_with = "seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub auth_time: Option<u64>,
    /// The time at which the provider's session with the user expires, in seconds since 1970 (OpenID IPSIE). The session in the cache ends
    /// then at the latest. It is `None` if the ID token has no `session_expiry`: then only the lifetime of the [`SignIn`] applies. A time
    /// before the year 2000 is ignored in the same way.
    ///
    /// [`SignIn`]: token_cache_core::SignIn
    #[serde(
        default,
        deserialize_with = "seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub session_expiry: Option<u64>,
}

impl SessionClaims {
    /// Verifies an ID token (signature, issuer, audience, expiry and nonce), and returns its claims.
    ///
    /// `id_token` is the token in the response to the code exchange. `verifier` is the `id_token_verifier` of the app's client of the crate
    /// `openidconnect`. `nonce` is the nonce that the app sent in the authorization request.
    ///
    /// An ID token that is signed with the client secret is accepted. The first one in a process is logged at WARN
    /// (`id_token_signed_with_secret`). A provider signs its logout tokens in the same way, and the crate `token-cache-sign-out`, which
    /// receives them, refuses such logout tokens.
    ///
    /// # Errors
    /// - The errors of the verifier, if the ID token is not valid (OpenID Connect Core 1.0 section 3.1.3.7).
    /// - `Other` if `id_token` is not an ID token, or if a claim has another type than the specification requires.
    /// - `Unsupported` if the ID token is encrypted.
    pub fn verify<K, N>(
        id_token: &str,
        verifier: &IdTokenVerifier<'_, K>,
        nonce: N,
    ) -> Result<Self, ClaimsVerificationError>
    where
        K: JsonWebKey<SigningAlgorithm = CoreJwsSigningAlgorithm>,
        N: NonceVerifier,
    {
        // The messages of the parser are dropped, since they could quote a claim.
        let parsed: CoreIdToken = id_token
            .parse()
            .map_err(|_| invalid_id_token("it is not a signed ID token (three parts)"))?;
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
                "`sid`, `auth_time` or `session_expiry` has the wrong type or occurs twice",
            )
        })
    }
}

/// `Debug` prints neither the subject nor the `sid`.
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

/// Logs once that the sign-out routes will refuse the logout tokens of this issuer.
fn warn_shared_secret(issuer: &IssuerUrl) {
    static LOGGED: Once = Once::new();
    LOGGED.call_once(|| {
        warn(
            "id_token_signed_with_secret",
            format_args!(
                "the ID tokens of {:?} are signed with the client secret (HS256, HS384 or HS512). The sign-out routes accept only messages \
                 that are signed with the provider's own key, so they refuse this provider's logout tokens. Register the client \
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

/// Reads a `NumericDate` (RFC 7519 section 2) without its fraction. A date before 1970 becomes 0, which sign-ins ignore and log.
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
