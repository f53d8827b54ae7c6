use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::digest;

/// Returns the code challenge of a verifier: `S256` of RFC 7636.
pub(super) fn challenge_of(verifier: &str) -> String {
    let digest = digest::digest(&digest::SHA256, verifier.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(digest)
}

/// Returns `true` if a code challenge or verifier has the form of RFC 7636 section 4.
pub(super) fn is_well_formed(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

/// `at_hash` (OpenID Connect Core 1.0 section 3.1.3.6).
pub(super) fn half_hash(token: &str) -> String {
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    let bytes = digest.as_ref();
    BASE64_URL_SAFE_NO_PAD.encode(&bytes[..bytes.len() / 2])
}

/// Compares secrets: how long it takes says nothing of where they differ.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    hash(one).as_ref() == hash(other).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    #[test]
    fn the_challenge_is_that_of_the_specification() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(is_well_formed(verifier));
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(challenge_of(verifier), challenge);
    }
}
