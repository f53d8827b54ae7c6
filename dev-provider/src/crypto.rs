use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    digest,
    rand::{SecureRandom, SystemRandom},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
        UnparsedPublicKey,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::error::{OAuthError, ProviderError};

/// 256 random bits as text: a code, a token, a cookie, an id.
pub(crate) fn random_text() -> Result<String, OAuthError> {
    let mut bytes = [0_u8; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| OAuthError::server("the system has no randomness"))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// Returns the code challenge of a verifier: `S256` of RFC 7636.
pub(crate) fn challenge_of(verifier: &str) -> String {
    let digest = digest::digest(&digest::SHA256, verifier.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(digest)
}

/// Returns `true` if a code challenge or verifier has the form of RFC 7636 section 4.
pub(crate) fn is_well_formed(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

/// `at_hash` (OpenID Connect Core 1.0 section 3.1.3.6).
pub(crate) fn half_hash(token: &str) -> String {
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    let bytes = digest.as_ref();
    BASE64_URL_SAFE_NO_PAD.encode(&bytes[..bytes.len() / 2])
}

/// Compares secrets: how long it takes says nothing of where they differ.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    hash(one).as_ref() == hash(other).as_ref()
}

const FAILED: OAuthError = OAuthError::server("a token could not be signed");

/// The key that signs all tokens: ES256, made at the start, gone at the end.
pub(crate) struct SigningKey {
    pair: EcdsaKeyPair,
    id: String,
}

impl SigningKey {
    pub(crate) fn generate() -> Result<Self, ProviderError> {
        let failed = || ProviderError::new("the development provider could not make its key");
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|_| failed())?;
        let pair =
            EcdsaKeyPair::from_pkcs8(algorithm, made.as_ref(), &random).map_err(|_| failed())?;
        let thumb = digest::digest(&digest::SHA256, pair.public_key().as_ref());
        let id = BASE64_URL_SAFE_NO_PAD.encode(thumb);
        Ok(Self { pair, id })
    }

    /// The public key (RFC 7517).
    pub(crate) fn jwks(&self) -> Value {
        // An uncompressed point: a byte that says so, then x and y.
        let point = self.pair.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
        json!({"keys": [{
            "kty": "EC",
            "crv": "P-256",
            "use": "sig",
            "alg": "ES256",
            "kid": self.id,
            "x": BASE64_URL_SAFE_NO_PAD.encode(x),
            "y": BASE64_URL_SAFE_NO_PAD.encode(y),
        }]})
    }

    /// A signed token of this type.
    pub(crate) fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, OAuthError> {
        let header = json!({"alg": "ES256", "typ": typ, "kid": self.id}).to_string();
        let claims = serde_json::to_vec(claims).map_err(|_| FAILED)?;
        let mut token = BASE64_URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self
            .pair
            .sign(&SystemRandom::new(), token.as_bytes())
            .map_err(|_| FAILED)?;
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// The claims of a token that was signed with this key and is of this type, however old it is.
    pub(crate) fn open<C: DeserializeOwned>(&self, typ: &str, token: &str) -> Option<C> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key())
            .verify(signed.as_bytes(), &signature)
            .ok()?;
        let (header, claims) = signed.split_once('.')?;
        let header: Value = parsed(header)?;
        (header["typ"] == typ).then(|| parsed(claims)).flatten()
    }
}

fn parsed<C: DeserializeOwned>(part: &str) -> Option<C> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
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

    #[test]
    fn a_token_is_opened_by_the_key_that_signed_it_alone() {
        let (key, other) = (
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
        );
        let token = key.sign("JWT", &json!({"sub": "ada"})).unwrap();
        let claims = json!({"sub": "ada"});
        assert_eq!(key.open::<Value>("JWT", &token), Some(claims));
        assert_eq!(key.open::<Value>("logout+jwt", &token), None);
        assert_eq!(other.open::<Value>("JWT", &token), None);
        let forged = token.replacen('.', ".e30", 1);
        for bad in [forged.as_str(), "", ".", "..", "a.b.c", &token[1..]] {
            assert_eq!(key.open::<Value>("JWT", bad), None, "{bad}");
        }
        let jwks = key.jwks();
        for coordinate in ["x", "y"] {
            assert_eq!(jwks["keys"][0][coordinate].as_str().unwrap().len(), 43);
        }
    }
}
