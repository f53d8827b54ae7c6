use std::fmt;

use super::{
    algorithm::{Algorithm, AlgorithmName},
    quoted::Quoted,
};

/// Why a message is invalid. Its text is sent to the provider, and contains nothing of the message (G5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ValidationError {
    // The form.
    MissingLogoutToken,
    RepeatedLogoutToken,
    // The signed token (RFC 7515, RFC 8725).
    NotCompact,
    Encrypted,
    NotBase64(&'static str),
    NotJson(&'static str),
    MissingMember(&'static str),
    InvalidMember(&'static str, &'static str),
    WrongType,
    Nested,
    CriticalExtension,
    Unsigned,
    /// The actual algorithm, and the accepted ones.
    AlgorithmNotAccepted(AlgorithmName, Vec<Algorithm>),
    /// The key id.
    UnknownKey(Option<Quoted>),
    InvalidSignature,
    // The claims.
    /// The actual issuer, and the expected ones.
    UnknownIssuer(Quoted, Quoted),
    /// The actual audience, and the expected ones.
    InvalidAudience(Quoted, Quoted),
    Expired,
    TooOld,
    IssuedInFuture,
    UnexpectedNonce,
    MissingLogoutEvent,
    MissingSubject,
    // The subject of a security event (RFC 9493).
    UnsupportedSubjectFormat,
    ConflictingSubjects,
    ForeignSubjectIssuer,
}

impl ValidationError {
    /// Returns the text for the app's log, with actual and expected values.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::AlgorithmNotAccepted(seen, expected) => {
                let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
                format!(
                    "{self}: its `alg` is {seen}, and {} was expected; register the client with one of these (`id_token_signed_response_alg`), or accept another with `ClientRegistration::algorithms`",
                    expected.join(" or ")
                )
            }
            Self::UnknownKey(Some(id)) => format!("{self}: its `kid` is {id}"),
            Self::UnknownKey(None) => format!("{self}: it has no `kid`"),
            Self::UnknownIssuer(seen, expected) => {
                format!(
                    "{self}: its `iss` is {seen}, and {expected} was expected; both must be identical"
                )
            }
            Self::InvalidAudience(seen, expected) => format!(
                "{self}: its `aud` is {seen}, and {expected} was expected; `ClientRegistration::trusted_audiences` accepts additional audiences"
            ),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::MissingLogoutToken => "the form has no logout_token",
            Self::RepeatedLogoutToken => "the form has more than one logout_token",
            Self::NotCompact => "the token is not a JWS of three parts (RFC 7515 section 7.1)",
            Self::Encrypted => "the token is encrypted; send it signed only",
            Self::NotBase64(part) => {
                return write!(
                    f,
                    "the token's {part} is not base64url (RFC 7515 section 2)"
                );
            }
            Self::NotJson(part) => {
                return write!(
                    f,
                    "the token's {part} is not a JSON object without duplicate members (RFC 7515 section 4, RFC 7519 section 4)"
                );
            }
            Self::MissingMember(member) => return write!(f, "the token has no `{member}`"),
            Self::InvalidMember(member, expected) => {
                return write!(f, "the token's `{member}` must be {expected}");
            }
            Self::WrongType => {
                "the token's `typ` is that of another kind of token (RFC 8725 section 3.11)"
            }
            Self::Nested => "the token's `cty` says that it contains another token",
            Self::CriticalExtension => {
                "the token's `crit` requires an unknown extension (RFC 7515 section 4.1.11)"
            }
            Self::Unsigned => "the token is not signed",
            Self::AlgorithmNotAccepted(..) => {
                "the algorithm that the token is signed with is not accepted for this client"
            }
            Self::UnknownKey(_) => {
                "the token names a key that the provider does not publish, or not for this algorithm"
            }
            Self::InvalidSignature => "the token's signature is not the provider's",
            Self::UnknownIssuer(..) => "the token's `iss` is not known here",
            Self::InvalidAudience(..) => {
                "the token's `aud` is not this app, or contains other audiences"
            }
            Self::Expired => "the token has expired",
            Self::TooOld => "the token was issued too long ago",
            Self::IssuedInFuture => "the token's `iat` is in the future",
            Self::UnexpectedNonce => "the token has a `nonce`, which a logout token must not have",
            Self::MissingLogoutEvent => {
                "the token's `events` must have the logout event, with an object as its value"
            }
            Self::MissingSubject => "the token names neither a user nor a session",
            Self::UnsupportedSubjectFormat => {
                "the format of the subject is not supported; send iss_sub, opaque, or complex with a user or a session"
            }
            Self::ConflictingSubjects => "the token's `sub_id` and the event's `subject` differ",
            Self::ForeignSubjectIssuer => {
                "the subject is a user of an issuer that this transmitter may not name"
            }
        };
        f.write_str(text)
    }
}
