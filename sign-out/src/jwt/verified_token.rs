use serde_json::Value;
use token_cache_core::Timestamp;

use super::{
    claims::{Claims, log_unreadable},
    validation_error::ValidationError,
};

/// The event that identifies a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The kinds of token. Each has its own endpoint, which accepts no other kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TokenKind {
    /// OpenID Connect Back-Channel Logout 1.0 section 2.4.
    LogoutToken,
    /// RFC 8417. It does not expire, and its `typ` is only recommended (section 2.3). Its `events` distinguish it from
    /// other tokens.
    SecurityEvent,
}

impl TokenKind {
    /// Returns the `typ`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::LogoutToken => "logout+jwt",
            Self::SecurityEvent => "secevent+jwt",
        }
    }
}

/// A token with a valid signature, issuer, audience and times.
pub(crate) struct VerifiedToken {
    pub(crate) issuer: String,
    /// The issuer of the accounts that a security event may be about.
    pub(crate) subject_issuer: String,
    pub(crate) claims: Claims,
    pub(crate) issued_at: Timestamp,
}

/// The account or provider session that a verified message ends. All kinds of message are converted to it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct LogoutSubject {
    pub(crate) issuer: String,
    pub(crate) issued_at: Timestamp,
    pub(crate) subject: Option<String>,
    pub(crate) sid: Option<String>,
}

/// Returns what a logout token ends. Checks the rules of sections 2.4 and 2.6 that apply only to logout tokens.
///
/// The `jti` is required but not remembered. A repeated message ends nothing more, and it must succeed if its first
/// response was lost.
pub(crate) fn logout_token_subject(token: VerifiedToken) -> Result<LogoutSubject, ValidationError> {
    let claims = token.claims;
    if claims.has("nonce") {
        return Err(ValidationError::UnexpectedNonce);
    }
    claims.required_text("jti")?;
    match claims.member("events") {
        None => return Err(ValidationError::MissingMember("events")),
        Some(Value::Object(events)) if events.get(EVENT).is_some_and(Value::is_object) => {}
        Some(Value::Object(_)) => return Err(ValidationError::MissingLogoutEvent),
        Some(_) => return Err(ValidationError::InvalidMember("events", "an object")),
    }
    // If one claim is unreadable, the other one is used: ending too many sessions is safe, and ending too few is not.
    let (subject, sid) = match (claims.text("sub"), claims.text("sid")) {
        (Ok(None), Ok(None)) => return Err(ValidationError::MissingSubject),
        (Ok(None) | Err(_), Err(unreadable)) | (Err(unreadable), Ok(None)) => {
            return Err(unreadable);
        }
        (subject, sid) => (
            log_unreadable(&token.issuer, subject).map(str::to_owned),
            log_unreadable(&token.issuer, sid).map(str::to_owned),
        ),
    };
    Ok(LogoutSubject {
        issuer: token.issuer,
        issued_at: token.issued_at,
        subject,
        sid,
    })
}
