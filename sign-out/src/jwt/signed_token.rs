use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{claims::Claims, json::JsonObject, validation_error::ValidationError};

/// A parsed token in JWS compact serialization (RFC 7515 section 7.1). Its signature is not verified yet.
pub(crate) struct SignedToken<'a> {
    /// The signed bytes: header and payload, as sent.
    pub(crate) signed: &'a [u8],
    pub(crate) signature: Vec<u8>,
    pub(crate) algorithm: String,
    pub(crate) key_id: Option<String>,
    pub(crate) claims: Claims,
}

impl<'a> SignedToken<'a> {
    /// Parses a token whose `typ` is `own`, `JWT` or absent. Many providers send no more specific type.
    ///
    /// Types are compared as RFC 7515 section 4.1.9 requires: without case, and with or without `application/`. Keys in
    /// the header (`jwk`, `jku`, `x5c`, `x5u`) are ignored, because keys come only from the provider. A `kid` that is
    /// not a string is ignored.
    pub(crate) fn parse(token: &'a str, own: &str) -> Result<Self, ValidationError> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(ValidationError::NotCompact);
        };
        match parts.count() {
            0 => {}
            2 => return Err(ValidationError::Encrypted),
            _ => return Err(ValidationError::NotCompact),
        }
        let header = object("header", header)?;
        check_header(&header, own)?;
        let algorithm = header.required_text("alg")?.to_owned();
        if algorithm.eq_ignore_ascii_case("none") || signature.is_empty() {
            return Err(ValidationError::Unsigned);
        }
        Ok(Self {
            signed: &token.as_bytes()[..token.len() - signature.len() - 1],
            signature: decoded("signature", signature)?,
            algorithm,
            key_id: header.text("kid").ok().flatten().map(str::to_owned),
            claims: object("payload", payload)?,
        })
    }
}

fn check_header(header: &Claims, own: &str) -> Result<(), ValidationError> {
    if header.member("enc").is_some() {
        return Err(ValidationError::Encrypted);
    }
    if header.member("crit").is_some() {
        return Err(ValidationError::CriticalExtension);
    }
    if header.member("cty").is_some() {
        return Err(ValidationError::Nested);
    }
    let Some(kind) = header.text("typ")? else {
        return Ok(());
    };
    let kind = kind.to_ascii_lowercase();
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    if kind == own || kind == "jwt" {
        Ok(())
    } else {
        Err(ValidationError::WrongType)
    }
}

fn object(part: &'static str, text: &str) -> Result<Claims, ValidationError> {
    JsonObject::parse(&decoded(part, text)?)
        .map(Claims::new)
        .ok_or(ValidationError::NotJson(part))
}

/// Decodes base64url without padding. Non-canonical encodings are errors.
fn decoded(part: &'static str, text: &str) -> Result<Vec<u8>, ValidationError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| ValidationError::NotBase64(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str) -> Result<(), ValidationError> {
        let header = URL_SAFE_NO_PAD.encode(header);
        SignedToken::parse(&format!("{header}.e30.AAAA"), "logout+jwt").map(|_| ())
    }

    #[test]
    fn types_are_compared_without_case_and_prefix() {
        for kind in [
            "logout+jwt",
            "Logout+JWT",
            "application/logout+jwt",
            "JWT",
            "jwt",
        ] {
            assert_eq!(
                token(&format!(r#"{{"alg":"ES256","typ":"{kind}"}}"#)),
                Ok(())
            );
        }
        for kind in [
            "at+jwt",
            "secevent+jwt",
            "logout",
            "application/application/jwt",
        ] {
            assert_eq!(
                token(&format!(r#"{{"alg":"ES256","typ":"{kind}"}}"#)),
                Err(ValidationError::WrongType)
            );
        }
    }

    #[test]
    fn what_is_signed_is_what_was_sent() {
        let token = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA";
        let token = SignedToken::parse(token, "logout+jwt").unwrap();
        assert_eq!(token.signed, b"eyJhbGciOiJFUzI1NiJ9.e30");
        assert_eq!(token.signature, [0, 0, 0]);
    }
}
