use std::fmt;

use http::StatusCode;

use super::Quoted;
use crate::{Algorithm, algorithm::AlgorithmName};

/// Why a message is not acted upon. Its text is for the provider, and says nothing of what the message holds (G5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    // the request
    NotPost,
    MediaType(&'static str),
    TooLarge(usize),
    Slow,
    Unreadable,
    NoLogoutToken,
    SeveralLogoutTokens,
    // the signed token (RFC 7515, RFC 8725)
    NotCompact,
    Encrypted,
    NotBase64(&'static str),
    NotJson(&'static str),
    Missing(&'static str),
    Malformed(&'static str, &'static str),
    OtherType,
    Nested,
    Critical,
    Unsigned,
    /// The one that was seen, and those that were expected.
    Algorithm(AlgorithmName, Vec<Algorithm>),
    /// The id of the key.
    UnknownKey(Option<Quoted>),
    Signature,
    // the claims
    /// The one that was seen, and those that were expected.
    Issuer(Quoted, Quoted),
    /// As the issuer.
    Audience(Quoted, Quoted),
    Expired,
    TooOld,
    FromTheFuture,
    Nonce,
    Event,
    Nobody,
    // the subject of a security event (RFC 9493)
    SubjectFormat,
    Subjects,
    SubjectIssuer,
}

impl Refusal {
    /// The status of OpenID Connect Back-Channel Logout 1.0 section 2.8, or of HTTP itself (RFC 9110 section 15.5).
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotPost => StatusCode::METHOD_NOT_ALLOWED,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// What the app's operator reads in the log: the same, with what was seen and what was expected.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Algorithm(seen, expected) => {
                let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
                format!(
                    "{self}: its `alg` is {seen}, and {} was expected; have the client registered with one of these (`id_token_signed_response_alg`), or name another by `Client::algorithms`",
                    expected.join(" or ")
                )
            }
            Self::UnknownKey(Some(id)) => format!("{self}: its `kid` is {id}"),
            Self::UnknownKey(None) => format!("{self}: it has no `kid`"),
            Self::Issuer(seen, expected) => {
                format!("{self}: its `iss` is {seen}, and {expected} was expected, to the letter")
            }
            Self::Audience(seen, expected) => format!(
                "{self}: its `aud` is {seen}, and {expected} was expected; `Client::trusted_audiences` accepts others besides"
            ),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NotPost => "only POST is answered here",
            Self::MediaType(expected) => return write!(f, "the body must be {expected}"),
            Self::TooLarge(most) => return write!(f, "the body has more than {most} bytes"),
            Self::Slow => "the body did not come in time",
            Self::Unreadable => "the body broke off",
            Self::NoLogoutToken => "the form has no logout_token",
            Self::SeveralLogoutTokens => "the form has more than one logout_token",
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
            Self::Missing(member) => return write!(f, "the token has no `{member}`"),
            Self::Malformed(member, expected) => {
                return write!(f, "the token's `{member}` must be {expected}");
            }
            Self::OtherType => {
                "the token's `typ` says that it is something else (RFC 8725 section 3.11)"
            }
            Self::Nested => "the token's `cty` says that another token is in it",
            Self::Critical => {
                "the token's `crit` asks for an extension that is not known here (RFC 7515 section 4.1.11)"
            }
            Self::Unsigned => "the token is not signed",
            Self::Algorithm(..) => {
                "the algorithm that the token is signed with is not accepted for this client"
            }
            Self::UnknownKey(_) => {
                "the token names a key that the provider does not publish, or not for this algorithm"
            }
            Self::Signature => "the token's signature is not the provider's",
            Self::Issuer(..) => "the token's `iss` is not known here",
            Self::Audience(..) => "the token's `aud` is not this app, or names others besides",
            Self::Expired => "the token has expired",
            Self::TooOld => "the token was issued too long ago",
            Self::FromTheFuture => "the token's `iat` is in the future",
            Self::Nonce => {
                "the token has a `nonce`, as an ID token may and a logout token must not"
            }
            Self::Event => {
                "the token's `events` names no sign-out, or with a value that is no object"
            }
            Self::Nobody => "the token names neither a user nor a session",
            Self::SubjectFormat => {
                "the subject is in a format that names no session here; send iss_sub, opaque, or complex with a user or a session"
            }
            Self::Subjects => "the token's `sub_id` and the event's `subject` differ",
            Self::SubjectIssuer => {
                "the subject is a user of an issuer that the transmitter does not speak for"
            }
        };
        f.write_str(text)
    }
}
