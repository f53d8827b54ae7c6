use token_cache_core::Timestamp;

use super::claims::Claims;

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
