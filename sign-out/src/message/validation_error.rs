use std::fmt;

use http::StatusCode;

use super::Quoted;
use crate::{Algorithm, algorithm::AlgorithmName};

/// Why a message is not acted upon. Its text is for the provider, and says nothing of what the message holds (G5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ValidationError {
    // the request
    MethodNotAllowed,
    UnsupportedMediaType(&'static str),
    BodyTooLarge(usize),
    BodyTimeout,
    BodyInterrupted,
    MissingLogoutToken,
    RepeatedLogoutToken,
    // the signed token (RFC 7515, RFC 8725)
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
    /// The one that was seen, and those that were expected.
    AlgorithmNotAccepted(AlgorithmName, Vec<Algorithm>),
    /// The id of the key.
    UnknownKey(Option<Quoted>),
    InvalidSignature,
    // the claims
    /// The one that was seen, and those that were expected.
    UnknownIssuer(Quoted, Quoted),
    /// As the issuer.
    InvalidAudience(Quoted, Quoted),
    Expired,
    TooOld,
    IssuedInFuture,
    UnexpectedNonce,
    MissingLogoutEvent,
    MissingSubject,
    // the subject of a security event (RFC 9493)
    UnsupportedSubjectFormat,
    ConflictingSubjects,
    ForeignSubjectIssuer,
}

impl ValidationError {
    /// The status of OpenID Connect Back-Channel Logout 1.0 section 2.8, or of HTTP itself (RFC 9110 section 15.5).
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// What the app's operator reads in the log: the same, with what was seen and what was expected.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::AlgorithmNotAccepted(seen, expected) => {
                let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
                format!(
                    "{self}: its `alg` is {seen}, and {} was expected; have the client registered with one of these (`id_token_signed_response_alg`), or name another by `ClientRegistration::algorithms`",
                    expected.join(" or ")
                )
            }
            Self::UnknownKey(Some(id)) => format!("{self}: its `kid` is {id}"),
            Self::UnknownKey(None) => format!("{self}: it has no `kid`"),
            Self::UnknownIssuer(seen, expected) => {
                format!("{self}: its `iss` is {seen}, and {expected} was expected, to the letter")
            }
            Self::InvalidAudience(seen, expected) => format!(
                "{self}: its `aud` is {seen}, and {expected} was expected; `ClientRegistration::trusted_audiences` accepts others besides"
            ),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::MethodNotAllowed => "only POST is answered here",
            Self::UnsupportedMediaType(expected) => {
                return write!(f, "the body must be {expected}");
            }
            Self::BodyTooLarge(most) => return write!(f, "the body has more than {most} bytes"),
            Self::BodyTimeout => "the body did not come in time",
            Self::BodyInterrupted => "the body broke off",
            Self::MissingLogoutToken => "the form has no logout_token",
            Self::RepeatedLogoutToken => "the form has more than one logout_token",
            Self::NotCompact => "the token is no JWS of three parts (RFC 7515 section 7.1)",
            Self::Encrypted => "the token is encrypted; send it signed only",
            Self::NotBase64(part) => {
                return write!(f, "the token's {part} is no base64url (RFC 7515 section 2)");
            }
            Self::NotJson(part) => {
                return write!(
                    f,
                    "the token's {part} is no JSON object with each member once (RFC 7515 section 4, RFC 7519 section 4)"
                );
            }
            Self::MissingMember(member) => return write!(f, "the token has no `{member}`"),
            Self::InvalidMember(member, expected) => {
                return write!(f, "the token's `{member}` must be {expected}");
            }
            Self::WrongType => {
                "the token's `typ` says that it is something else (RFC 8725 section 3.11)"
            }
            Self::Nested => "the token's `cty` says that another token is in it",
            Self::CriticalExtension => {
                "the token's `crit` asks for an extension that is not known here (RFC 7515 section 4.1.11)"
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
                "the token's `aud` is not this app, or names others besides"
            }
            Self::Expired => "the token has expired",
            Self::TooOld => "the token was issued too long ago",
            Self::IssuedInFuture => "the token's `iat` is in the future",
            Self::UnexpectedNonce => {
                "the token has a `nonce`, as an ID token may and a logout token must not"
            }
            Self::MissingLogoutEvent => {
                "the token's `events` names no sign-out, or with a value that is no object"
            }
            Self::MissingSubject => "the token names neither a user nor a session",
            Self::UnsupportedSubjectFormat => {
                "the subject is in a format that names no session here; send iss_sub, opaque, or complex with a user or a session"
            }
            Self::ConflictingSubjects => "the token's `sub_id` and the event's `subject` differ",
            Self::ForeignSubjectIssuer => {
                "the subject is a user of an issuer that the transmitter does not speak for"
            }
        };
        f.write_str(text)
    }
}
