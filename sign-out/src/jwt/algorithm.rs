use std::fmt;

/// A signature algorithm of a provider's tokens (RFC 7518 section 3.1, RFC 8037). Pass the accepted ones to
/// [`ClientRegistration::algorithms`](crate::ClientRegistration::algorithms). By default all of them are accepted.
///
/// A client is registered at the provider with one of them, as its `id_token_signed_response_alg`. Logout messages must
/// be signed with a key that only the provider has, so `none` and HMAC are not supported. ES512, ES256K and Ed448 are
/// not supported either. A message that is signed with an unsupported algorithm is rejected with 400.
///
/// A public key of the provider verifies only signatures of the algorithms for its own key type. A key with the member
/// `alg` verifies only signatures of that algorithm (RFC 8725 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// `RS256`: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3). It is OpenID Connect's default for a registered
    /// client.
    Rs256,
    /// `RS384`: RSASSA-PKCS1-v1_5 with SHA-384 (RFC 7518 section 3.3).
    Rs384,
    /// `RS512`: RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518 section 3.3).
    Rs512,
    /// `PS256`: RSASSA-PSS with SHA-256 (RFC 7518 section 3.5).
    Ps256,
    /// `PS384`: RSASSA-PSS with SHA-384 (RFC 7518 section 3.5).
    Ps384,
    /// `PS512`: RSASSA-PSS with SHA-512 (RFC 7518 section 3.5).
    Ps512,
    /// `ES256`: ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4).
    Es256,
    /// `ES384`: ECDSA on P-384 with SHA-384 (RFC 7518 section 3.4).
    Es384,
    /// `EdDSA` with Ed25519 (RFC 8037). A token's `alg` may be `EdDSA` or `Ed25519` (RFC 9864).
    EdDsa,
}

/// The name of a token's `alg`, safe to log: a fixed text replaces unknown names, which an attacker can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AlgorithmName(&'static str);

/// JWS algorithms that are registered at IANA and not supported here.
const OTHERS: [&str; 11] = [
    "none",
    "HS256",
    "HS384",
    "HS512",
    "ES512",
    "ES256K",
    "Ed448",
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
    "RS1",
];

impl Algorithm {
    /// The algorithms that a client accepts by default.
    pub(crate) const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// Returns the algorithm that an `alg` names. The comparison is case-sensitive (RFC 7515 section 4.1.1).
    pub(crate) fn named(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl AlgorithmName {
    pub(crate) fn of(name: &str) -> Self {
        let known = Algorithm::named(name).map(Algorithm::name);
        let other = || OTHERS.into_iter().find(|other| *other == name);
        Self(known.or_else(other).unwrap_or("an unknown algorithm"))
    }
}

impl fmt::Display for AlgorithmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
