/// How a provider signs for a client: its registered `id_token_signed_response_alg` (RFC 7518 section 3.1, RFC 8037).
///
/// There is no `none` and no HMAC: a logout message is signed with a key that only the provider has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: what OpenID Connect registers a client with that says nothing.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}
