use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use token_cache_core::{RefreshError, TokenSet};
use zeroize::Zeroizing;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize, PartialEq, Eq)]
struct User {
    iss: String,
    sub: String,
}

/// An ID token that a refresh brings is of the same issuer and subject as the one before (OpenID Connect Core 1.0 section
/// 12.2). Its signature needs no check: it came from the token endpoint itself (section 3.1.3.7).
pub(crate) fn check(old: Option<&TokenSet>, new: &TokenSet) -> Result<(), RefreshError> {
    let old = old.and_then(TokenSet::id_token).and_then(user);
    let (Some(old), Some(new)) = (old, new.id_token()) else {
        return Ok(());
    };
    if is_encrypted(new) || user(new).is_some_and(|new| new == old) {
        return Ok(());
    }
    let of_another =
        RefreshError::malformed("the provider's answer has an ID token of another user");
    Err(of_another.answer_lost())
}

/// Five parts, where a signed one has three: only the app can read it.
fn is_encrypted(token: &SecretString) -> bool {
    token.expose_secret().split('.').count() == 5
}

fn user(token: &SecretString) -> Option<User> {
    let mut parts = token.expose_secret().split('.');
    let claims = parts.nth(1)?;
    let claims = Zeroizing::new(LENIENT.decode(claims).ok()?);
    serde_json::from_slice(&claims).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(claims: &serde_json::Value) -> TokenSet {
        let claims = LENIENT.encode(claims.to_string());
        TokenSet::new("at").with_id_token(format!("e30.{claims}.c2ln"))
    }

    #[test]
    fn the_user_stays_the_same() {
        let ada = serde_json::json!({"iss": "https://id.example", "sub": "ada", "iat": 1});
        let later = serde_json::json!({"iss": "https://id.example", "sub": "ada", "iat": 2});
        let elsewhere = serde_json::json!({"iss": "https://other.example", "sub": "ada"});
        let nobody = serde_json::json!({"iss": "https://id.example"});
        let old = with(&ada);
        check(Some(&old), &with(&later)).unwrap();
        check(Some(&old), &TokenSet::new("at")).unwrap();
        check(None, &with(&elsewhere)).unwrap();
        check(Some(&TokenSet::new("at")), &with(&elsewhere)).unwrap();
        check(Some(&old), &TokenSet::new("at").with_id_token("a.b.c.d.e")).unwrap();
        for new in [
            with(&elsewhere),
            with(&nobody),
            TokenSet::new("at").with_id_token("what"),
        ] {
            check(Some(&old), &new).unwrap_err();
        }
    }
}
