use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::{Map, Value};

use crate::jwt::Algorithm;

/// A public key of a provider (JWK) that verifies messages.
#[derive(Debug)]
pub(crate) struct Jwk {
    id: Option<String>,
    /// The only algorithm that the provider uses the key for, or `None` for every algorithm of its type.
    algorithm_only: Option<Algorithm>,
    public: PublicKey,
}

#[derive(Debug)]
enum PublicKey {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// The smallest and the largest RSA modulus, in bytes: 2048 and 8192 bits.
const MIN_RSA_BYTES: usize = 256;
const MAX_RSA_BYTES: usize = 1024;

/// Base64url as found in real JWKs: with or without padding, and with any trailing bits.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl Jwk {
    /// Parses a JWK (RFC 7517 section 4). Returns `None` for a key with another purpose, which has another `kty`,
    /// `crv`, `use` or `alg`.
    ///
    /// It accepts every key with which `openidconnect` verifies an ID token, so that every user who can sign in can be
    /// signed out. Numbers may have leading zeros, and `key_ops` is ignored. RSA keys under 2048 bits, which RFC 7518
    /// section 3.3 forbids, and over 8192 bits are errors, so that the log states why their messages are rejected.
    ///
    /// # Errors
    /// The reason why a signing key cannot be used.
    pub(crate) fn parse(jwk: &Value) -> Result<Option<Self>, &'static str> {
        let jwk = jwk.as_object().ok_or("it is not a JSON object")?;
        match jwk.get("use") {
            None | Some(Value::Null) => {}
            Some(Value::String(what)) if what == "sig" => {}
            Some(Value::String(_)) => return Ok(None),
            Some(_) => return Err("its `use` is not a string"),
        }
        let algorithm_only = match jwk.get("alg") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => match Algorithm::named(name) {
                None => return Ok(None),
                algorithm_only => algorithm_only,
            },
            Some(_) => return Err("its `alg` is not a string"),
        };
        let Some(public) = PublicKey::parse(jwk)? else {
            return Ok(None);
        };
        let id = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
        Ok(Some(Self {
            id,
            algorithm_only,
            public,
        }))
    }

    pub(crate) fn has_id(&self, id: &str) -> bool {
        self.id.as_deref() == Some(id)
    }

    pub(crate) fn is_for(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        let fits = match self.public {
            PublicKey::Rsa { .. } => {
                matches!(algorithm, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512)
            }
            PublicKey::P256(_) => algorithm == Es256,
            PublicKey::P384(_) => algorithm == Es384,
            PublicKey::Ed25519(_) => algorithm == EdDsa,
        };
        fits && self
            .algorithm_only
            .is_none_or(|algorithm_only| algorithm_only == algorithm)
    }

    /// Returns `true` if `signature` is this key's signature of `signed`.
    pub(crate) fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        let curve: (&'static dyn VerificationAlgorithm, &[u8]) = match (&self.public, algorithm) {
            (PublicKey::Rsa { n, e }, _) => {
                let Some(parameters) = rsa(algorithm) else {
                    return false;
                };
                let key = RsaPublicKeyComponents { n, e };
                return key.verify(parameters, signed, signature).is_ok();
            }
            (PublicKey::P256(point), Algorithm::Es256) => (&ECDSA_P256_SHA256_FIXED, point),
            (PublicKey::P384(point), Algorithm::Es384) => (&ECDSA_P384_SHA384_FIXED, point),
            (PublicKey::Ed25519(point), Algorithm::EdDsa) => (&ED25519, point),
            _ => return false,
        };
        let key = UnparsedPublicKey::new(curve.0, curve.1);
        key.verify(signed, signature).is_ok()
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => return None,
    })
}

impl PublicKey {
    fn parse(jwk: &Map<String, Value>) -> Result<Option<Self>, &'static str> {
        let text = |name| jwk.get(name).and_then(Value::as_str);
        let kind = text("kty").ok_or("it has no `kty`")?;
        let public = match (kind, text("crv")) {
            ("RSA", _) => {
                let n = number(jwk, "n").ok_or("its `n` is not a base64url number")?;
                let e = number(jwk, "e").ok_or("its `e` is not a base64url number")?;
                match n.len() {
                    ..MIN_RSA_BYTES => {
                        return Err(
                            "it is an RSA key of under 2048 bits, which RFC 7518 section 3.3 forbids; give the provider \
                             a longer key",
                        );
                    }
                    MIN_RSA_BYTES..=MAX_RSA_BYTES => Self::Rsa { n, e },
                    _ => {
                        return Err(
                            "it is an RSA key of over 8192 bits; give the provider a shorter one",
                        );
                    }
                }
            }
            ("EC", Some("P-256")) => Self::P256(point::<32>(jwk)?),
            ("EC", Some("P-384")) => Self::P384(point::<48>(jwk)?),
            ("OKP", Some("Ed25519")) => {
                let key = text("x").and_then(|x| BASE64URL.decode(x).ok());
                let key = key.filter(|key| key.len() == 32);
                Self::Ed25519(key.ok_or("its `x` is not base64url of 32 bytes")?)
            }
            ("EC" | "OKP", None) => return Err("it has no `crv`"),
            _ => return Ok(None),
        };
        Ok(Some(public))
    }
}

/// Returns a number without leading zeros, which some libraries write and `ring` rejects.
fn number(jwk: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    let bytes = BASE64URL.decode(jwk.get(name)?.as_str()?).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[first..].to_vec())
}

/// Returns an uncompressed curve point (SEC 1 section 2.3.3) whose coordinates have `SIZE` bytes.
fn point<const SIZE: usize>(jwk: &Map<String, Value>) -> Result<Vec<u8>, &'static str> {
    let mut point = vec![4];
    for name in ["x", "y"] {
        let number = number(jwk, name).filter(|number| number.len() <= SIZE);
        let number = number.ok_or("its `x` or `y` is not a base64url number of the curve")?;
        point.resize(point.len() + SIZE - number.len(), 0);
        point.extend(number);
    }
    Ok(point)
}
