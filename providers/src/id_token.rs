use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use token_cache_core::{RefreshError, TokenSet, telemetry::warn};
use zeroize::Zeroizing;

const LENIENT_BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize, PartialEq, Eq)]
struct User {
    iss: String,
    sub: String,
}

/// Returns the tokens of a refresh if their ID token has the issuer and the subject of the previous one (OpenID Connect Core 1.0
/// section 12.2). The signature is not checked, since the ID token came from the token endpoint (section 3.1.3.7).
///
/// An unreadable ID token is dropped: refusing the whole response would discard its refresh token.
pub(crate) fn check_same_user(
    old: Option<&TokenSet>,
    new: TokenSet,
) -> Result<TokenSet, RefreshError> {
    let old = old.and_then(TokenSet::id_token).and_then(user);
    let (Some(old), Some(id_token)) = (old, new.id_token()) else {
        return Ok(new);
    };
    if is_encrypted(id_token) {
        return Ok(new);
    }
    match user(id_token) {
        Some(user) if user == old => Ok(new),
        Some(_) => {
            let of_another = RefreshError::malformed(
                "the ID token in the provider's response is of another user",
            );
            Err(of_another.answer_lost())
        }
        None => {
            warn(
                "token_response_irregular",
                format_args!(
                    "the ID token in the response to a refresh cannot be read; the ID token of the sign-in is kept",
                ),
            );
            Ok(new.with_id_token(""))
        }
    }
}

/// Returns whether a token is encrypted (five parts; a signed token has three).
fn is_encrypted(token: &SecretString) -> bool {
    token.expose_secret().split('.').count() == 5
}

fn user(token: &SecretString) -> Option<User> {
    let mut parts = token.expose_secret().split('.');
    let claims = parts.nth(1)?;
    let claims = Zeroizing::new(LENIENT_BASE64URL.decode(claims).ok()?);
    serde_json::from_slice(&claims).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(claims: &serde_json::Value) -> TokenSet {
        let claims = LENIENT_BASE64URL.encode(claims.to_string());
        TokenSet::new("at")
            .unwrap()
            .with_id_token(format!("e30.{claims}.c2ln"))
    }

    #[test]
    fn the_user_stays_the_same() {
        let ada = serde_json::json!({"iss": "https://id.example", "sub": "ada", "iat": 1});
        let later = serde_json::json!({"iss": "https://id.example", "sub": "ada", "iat": 2});
        let elsewhere = serde_json::json!({"iss": "https://other.example", "sub": "ada"});
        let nobody = serde_json::json!({"iss": "https://id.example"});
        let old = with(&ada);
        check_same_user(Some(&old), with(&later)).unwrap();
        check_same_user(Some(&old), TokenSet::new("at").unwrap()).unwrap();
        check_same_user(None, with(&elsewhere)).unwrap();
        check_same_user(Some(&TokenSet::new("at").unwrap()), with(&elsewhere)).unwrap();
        let encrypted = TokenSet::new("at").unwrap().with_id_token("a.b.c.d.e");
        assert!(
            check_same_user(Some(&old), encrypted)
                .unwrap()
                .id_token()
                .is_some()
        );
        check_same_user(Some(&old), with(&elsewhere)).unwrap_err();
        let unreadable = TokenSet::new("at").unwrap().with_id_token("what");
        for new in [with(&nobody), unreadable] {
            assert!(
                check_same_user(Some(&old), new)
                    .unwrap()
                    .id_token()
                    .is_none()
            );
        }
    }
}
