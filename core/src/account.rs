use std::fmt;

use crate::{Error, Result, hash_name::hash_name};

/// The longest issuer, subject, `sid` or entry key, in bytes.
pub(crate) const MAX_ID_BYTES: usize = 8 * 1024;

/// One end user at one issuer.
///
/// Issuer and subject are the claims `iss` and `sub` of the ID token (OpenID Connect Core 1.0 section 2). The store receives only a keyed
/// hash of each (G5). They are hashed separately, so that a whole issuer can be signed out.
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
    /// Creates the id of the user `subject` at `issuer`. The app must have verified the ID token that both come from.
    ///
    /// Both texts are used exactly as they are: a trailing slash or another case is another account.
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

    /// Creates the id of an account in an app without OpenID Connect: `key` within `namespace`.
    ///
    /// It never equals an account of an OpenID Connect issuer. Its issuer is `custom:` followed by the namespace; a sign-out of that issuer
    /// signs out all accounts of the namespace.
    ///
    /// # Errors
    /// As [`new`](Self::new), with the namespace as the issuer.
    pub fn custom(namespace: &str, key: impl Into<String>) -> Result<Self> {
        if namespace.is_empty() {
            return Err(Error::misuse(
                "name an account",
                "the namespace is empty; pass the name of the app's user store",
            ));
        }
        Self::new(format!("custom:{namespace}"), key)
    }

    /// Creates the account id of the application itself, for tokens that belong to no user.
    ///
    /// [`TokenCache::application`](crate::TokenCache::application) finds or begins its session. It is
    /// [`custom`](Self::custom) of the namespace `application`.
    ///
    /// # Errors
    /// As [`new`](Self::new), with the client id as the subject.
    pub fn application(client_id: &str) -> Result<Self> {
        Self::custom("application", client_id)
    }

    /// Returns the issuer. For a [`custom`](Self::custom) account, it is `custom:` followed by the namespace.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the subject: the issuer's identifier of the user. For a [`custom`](Self::custom) account, it is the key.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountId([redacted])")
    }
}

/// A session at the provider: an issuer and its `sid` (OpenID Connect Front-Channel Logout 1.0, section 3).
///
/// It names the sessions of this cache that were begun under it, for example in a sign-out
/// ([`SignOutScope::ProviderSession`](crate::SignOutScope::ProviderSession)).
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
    /// Creates the name of the session `sid` of `issuer`. Both texts are used exactly as they are.
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

    /// Returns the issuer of the `sid`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the `sid`: the issuer's identifier of the session.
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
    /// The keyed hash of an issuer, by which a store knows it.
    IssuerKey
}

hash_name! {
    /// The keyed hash of a provider's session: of its issuer and `sid`. The sid index of a store finds accounts by it.
    SidKey
}

/// The name of an account in a store: the keyed hash of its issuer, and that of issuer and subject.
///
/// A store never receives the [`AccountId`] itself (G5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    issuer: IssuerKey,
    subject: [u8; 16],
}

impl AccountKey {
    /// Creates the name of the account with these hashes, as a store holds them.
    pub const fn new(issuer: IssuerKey, subject: [u8; 16]) -> Self {
        Self { issuer, subject }
    }

    /// Returns the keyed hash of the issuer.
    pub const fn issuer(&self) -> &IssuerKey {
        &self.issuer
    }

    /// Returns the keyed hash of issuer and subject.
    pub const fn subject(&self) -> &[u8; 16] {
        &self.subject
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountKey(..)")
    }
}

/// Checks the name of a user, a provider's session or an entry: not empty, not only white space, and at most 8 KiB. Any other text is valid
/// and is used exactly as the provider or the app gave it.
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

/// Checks an issuer or another name that is a URI: as [`id`], and without white space and control characters. An issuer with a trailing
/// space would be another issuer, which no logout message ever names.
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

/// Returns `true` for white space and for invisible characters.
fn is_blank(c: char) -> bool {
    let is_invisible = matches!(
        c,
        '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    c.is_whitespace() || is_invisible
}
