use jsonwebtoken::{
    DecodingKey, DecodingKeyKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

use crate::Algorithm;

/// One public key of a provider.
#[derive(Debug)]
pub(crate) struct Key {
    id: Option<String>,
    kind: Kind,
    /// What the provider says it signs with it; whatever its kind can do, where it says nothing.
    only: Option<KeyAlgorithm>,
    public: DecodingKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    Ed25519,
}

impl Key {
    /// The key, where it is one that a message may be signed with: no shared secret, no key for encryption, none of another
    /// curve (RFC 7517 section 4).
    pub(crate) fn of(jwk: &Jwk) -> Option<Self> {
        let kind = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Kind::Rsa,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                Kind::P256
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                Kind::Ed25519
            }
            _ => return None,
        };
        let common = &jwk.common;
        let signs = common
            .public_key_use
            .as_ref()
            .is_none_or(|what| *what == PublicKeyUse::Signature);
        let verifies = common
            .key_operations
            .as_ref()
            .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if !signs || !verifies {
            return None;
        }
        Some(Self {
            id: common.key_id.clone(),
            kind,
            only: common.key_algorithm,
            public: DecodingKey::from_jwk(jwk).ok()?,
        })
    }

    pub(crate) fn is_named(&self, id: &str) -> bool {
        self.id.as_deref() == Some(id)
    }

    pub(crate) fn is_for(&self, algorithm: Algorithm) -> bool {
        let (kind, name) = match algorithm {
            Algorithm::Rs256 => (Kind::Rsa, KeyAlgorithm::RS256),
            Algorithm::Ps256 => (Kind::Rsa, KeyAlgorithm::PS256),
            Algorithm::Es256 => (Kind::P256, KeyAlgorithm::ES256),
            Algorithm::EdDsa => (Kind::Ed25519, KeyAlgorithm::EdDSA),
        };
        self.kind == kind && self.only.is_none_or(|only| only == name)
    }

    /// True where `signature` is this key's under `signed`. RSA keys of less than 2048 bits verify nothing.
    pub(crate) fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        match algorithm {
            Algorithm::Rs256 => self.rsa(&RSA_PKCS1_2048_8192_SHA256, signed, signature),
            Algorithm::Ps256 => self.rsa(&RSA_PSS_2048_8192_SHA256, signed, signature),
            Algorithm::Es256 => self.curve(&ECDSA_P256_SHA256_FIXED, signed, signature),
            Algorithm::EdDsa => self.curve(&ED25519, signed, signature),
        }
    }

    fn rsa(&self, parameters: &'static RsaParameters, signed: &[u8], signature: &[u8]) -> bool {
        let DecodingKeyKind::RsaModulusExponent { n, e } = self.public.kind() else {
            return false;
        };
        let key = RsaPublicKeyComponents { n, e };
        key.verify(parameters, signed, signature).is_ok()
    }

    fn curve(
        &self,
        curve: &'static dyn VerificationAlgorithm,
        signed: &[u8],
        signature: &[u8],
    ) -> bool {
        let Ok(key) = self.public.try_get_as_bytes() else {
            return false;
        };
        UnparsedPublicKey::new(curve, key)
            .verify(signed, signature)
            .is_ok()
    }
}
