use std::fmt;

use crate::{Error, Result, hash_name::hash_name};

/// The longest issuer, subject, provider session id or entry key, in bytes.
pub(crate) const MAX_ID_BYTES: usize = 8 * 1024;

/// One end user at one issuer.
///
/// Issuer and subject are what the ID token says (`iss` and `sub`, OpenID Connect Core 1.0 section 2). They reach the
/// store as keyed hashes only, apart, so that a whole issuer can be signed out (G5).
///
/// ```
/// use token_cache_core::AccountId;
///
/// let ada = AccountId::new("https://id.example", "248289761001")?;
/// let tenant_user = AccountId::custom("crm", "customer/17")?;
/// assert!(AccountId::new("https://id.example", "").is_err());
/// # Ok::<(), token_cache_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AccountId {
    issuer: String,
    subject: String,
}

impl AccountId {
    /// The user that `issuer` calls `subject`.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if either is empty, blank or over 8 KiB, or the issuer has white space or a control
    /// character.
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>) -> Result<Self> {
        Ok(Self {
            issuer: uri("name an account", "issuer", issuer.into())?,
            subject: id("name an account", "subject", subject.into())?,
        })
    }

    /// An account of an app without OpenID Connect: `key` within `namespace`.
    ///
    /// It never meets one of an issuer. The issuer to sign out all of them is `custom:` and the namespace.
    ///
    /// # Errors
    /// As [`new`](Self::new), with the namespace for the issuer.
    pub fn custom(namespace: &str, key: impl Into<String>) -> Result<Self> {
        if namespace.is_empty() {
            return Err(Error::misuse(
                "name an account",
                "the namespace is empty; pass the name of the app's user store",
            ));
        }
        Self::new(format!("custom:{namespace}"), key)
    }

    /// The application itself, for what is no user's: whose session [`TokenCache::application`](crate::TokenCache::application)
    /// finds or begins. It is [`custom`](Self::custom) of the namespace `application`.
    ///
    /// # Errors
    /// As [`new`](Self::new), with the client id for the subject.
    pub fn application(client_id: &str) -> Result<Self> {
        Self::custom("application", client_id)
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The issuer's name for the user.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountId([redacted])")
    }
}

/// A session at the provider: an issuer and the `sid` it gave (OpenID Connect Front-Channel Logout 1.0, section 3).
///
/// ```
/// let at_provider = token_cache_core::ProviderSid::new("https://id.example", "08a5019c")?;
/// # Ok::<(), token_cache_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ProviderSid {
    issuer: String,
    sid: String,
}

impl ProviderSid {
    /// The session that `issuer` calls `sid`.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if either is empty, blank or over 8 KiB, or the issuer has white space or a control
    /// character.
    pub fn new(issuer: impl Into<String>, sid: impl Into<String>) -> Result<Self> {
        Ok(Self {
            issuer: uri("name a provider session", "issuer", issuer.into())?,
            sid: id("name a provider session", "sid", sid.into())?,
        })
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The issuer's name for the session.
    pub fn sid(&self) -> &str {
        &self.sid
    }
}

impl fmt::Debug for ProviderSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderSid([redacted])")
    }
}

hash_name! {
    /// The keyed hash of an issuer.
    IssuerKey
}

hash_name! {
    /// The keyed hash of a provider's session: its issuer and `sid`.
    SidKey
}

/// The keyed hashes of an account's issuer and subject: what a store calls it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    issuer: IssuerKey,
    subject: [u8; 16],
}

impl AccountKey {
    /// The account with these hashes.
    pub const fn new(issuer: IssuerKey, subject: [u8; 16]) -> Self {
        Self { issuer, subject }
    }

    /// The hash of its issuer.
    pub const fn issuer(&self) -> &IssuerKey {
        &self.issuer
    }

    /// The hash of issuer and subject.
    pub const fn subject(&self) -> &[u8; 16] {
        &self.subject
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountKey(..)")
    }
}

/// Checks the name of a user, a provider's session or an entry: not empty, not only white space, and not over 8 KiB. Everything
/// else is the provider's or the app's own text, and is kept exactly as it came.
pub(crate) fn id(operation: &'static str, part: &str, text: String) -> Result<String> {
    let refused = |message: String| Err(Error::misuse(operation, message));
    if text.is_empty() {
        return refused(format!(
            "the {part} is empty; pass the text that its owner assigned"
        ));
    }
    if text.len() > MAX_ID_BYTES {
        return refused(format!(
            "the {part} has {} bytes; pass at most {MAX_ID_BYTES}",
            text.len()
        ));
    }
    if text.chars().all(is_blank) {
        return refused(format!(
            "the {part} has only white space; pass the text that its owner assigned"
        ));
    }
    Ok(text)
}

/// Checks an issuer, or another name that is a URI: as [`id`], and without any white space or control character. One with a space at its end would be
/// another issuer, of which no message ever comes.
pub(crate) fn uri(operation: &'static str, part: &str, text: String) -> Result<String> {
    let text = id(operation, part, text)?;
    if text.chars().any(|c| is_blank(c) || c.is_control()) {
        return Err(Error::misuse(
            operation,
            format!(
                "the {part} {text:?} contains white space or a control character; write it exactly as its owner does"
            ),
        ));
    }
    Ok(text)
}

/// White space, and characters that are as invisible.
fn is_blank(c: char) -> bool {
    let is_invisible = matches!(
        c,
        '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    c.is_whitespace() || is_invisible
}
