use std::fmt;

use crate::{Error, Result, util::hash_name::hash_name};

/// The longest issuer, subject, `sid` or entry key, in bytes.
pub(crate) const MAX_ID_BYTES: usize = 8 * 1024;

/// The id of one end user at one issuer: the claims `iss` and `sub` of the user's ID token (OpenID Connect Core 1.0 section 2).
///
/// The app creates it, and passes it to [`SignIn`](crate::SignIn) and to sign-outs. A store never receives these texts, but only keyed
/// hashes of them (G5). The issuer has a hash of its own, so that [`TokenCache::sign_out_issuer`](crate::TokenCache::sign_out_issuer) can
/// sign out all its accounts.
///
/// ```
/// use token_cache::AccountId;
///
/// let ada = AccountId::new("https://id.example", "248289761001")?;
/// let tenant_user = AccountId::custom("crm", "customer/17")?;
/// assert!(AccountId::new("https://id.example", "").is_err());
/// # Ok::<(), token_cache::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AccountId {
    issuer: String,
    subject: String,
}

impl AccountId {
    /// Creates the id of the user `subject` at `issuer`: the claims `sub` and `iss`. The app must have verified the ID token that contains
    /// them: this function verifies nothing.
    ///
    /// The texts are used exactly as they are. An issuer with an additional slash, or in other letter case, is another issuer with other
    /// accounts.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if `issuer` or `subject` is empty, contains only white space, or is longer than 8 KiB. The same
    /// error is returned if `issuer` contains any white space or a control character.
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>) -> Result<Self> {
        Ok(Self {
            issuer: uri("name an account", "issuer", issuer.into())?,
            subject: id("name an account", "subject", subject.into())?,
        })
    }

    /// Creates the id of an account in an app without OpenID Connect. `namespace` names the app's user store, and `key` names the user in
    /// it.
    ///
    /// The issuer of the account is `custom:` followed by `namespace`. It never equals the issuer of an OpenID Connect provider, which is
    /// an `https` URL. A sign-out of this issuer ([`TokenCache::sign_out_issuer`](crate::TokenCache::sign_out_issuer)) signs out all
    /// accounts of the user store.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if `namespace` is empty, contains white space or a control character, or is longer than 8,185
    /// bytes. The same error is returned if `key` is empty, contains only white space, or is longer than 8 KiB.
    pub fn custom(namespace: &str, key: impl Into<String>) -> Result<Self> {
        if namespace.is_empty() {
            return Err(Error::misuse(
                "name an account",
                "the namespace is empty; pass the name of the app's user store",
            ));
        }
        Self::new(format!("custom:{namespace}"), key)
    }

    /// Creates the account id of the application itself, for tokens that belong to no user. `client_id` is the application's OAuth client
    /// id.
    ///
    /// [`TokenCache::application`](crate::TokenCache::application) uses this account. Pass it to
    /// [`TokenCache::sign_out_account`](crate::TokenCache::sign_out_account) to remove the application's tokens. It equals
    /// `AccountId::custom("application", client_id)`.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if `client_id` is empty, contains only white space, or is longer than 8 KiB.
    pub fn application(client_id: &str) -> Result<Self> {
        Self::custom("application", client_id)
    }

    /// Returns the issuer of the account. For a [`custom`](Self::custom) account, it is `custom:` followed by the name of the user store.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the issuer's identifier of the user, the claim `sub`. For a [`custom`](Self::custom) account, it is the `key` that `custom`
    /// received. For an [`application`](Self::application), it is the client id.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountId([redacted])")
    }
}

/// The provider's identifier of its own session with a user: a `sid`, with the issuer that assigned it (OpenID Connect Front-Channel Logout
/// 1.0, section 3).
///
/// The app passes it to a sign-out ([`SignOutScope::ProviderSession`](crate::SignOutScope::ProviderSession)). The sign-out ends the
/// sessions of the cache whose sign-in had this `sid`. Other sessions of the same users continue.
///
/// ```
/// let at_provider = token_cache::ProviderSid::new("https://id.example", "08a5019c")?;
/// # Ok::<(), token_cache::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ProviderSid {
    issuer: String,
    sid: String,
}

impl ProviderSid {
    /// Creates the identifier from the claims `iss` and `sid` of a token that the app has verified. This function verifies nothing. The
    /// texts are used exactly as they are.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if `issuer` or `sid` is empty, contains only white space, or is longer than 8 KiB. The same
    /// error is returned if `issuer` contains any white space or a control character.
    pub fn new(issuer: impl Into<String>, sid: impl Into<String>) -> Result<Self> {
        Ok(Self {
            issuer: uri("name a provider session", "issuer", issuer.into())?,
            sid: id("name a provider session", "sid", sid.into())?,
        })
    }

    /// Returns the issuer that assigned the `sid`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the `sid`, as the issuer assigned it.
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
    /// The keyed hash of an issuer. A store receives it in place of the issuer's text (G5), for example in
    /// [`SidIndex::check_issuer`](crate::SidIndex::check_issuer).
    ///
    /// A [`TokenCache`](crate::TokenCache) computes it. Apps do not need it.
    IssuerKey
}

hash_name! {
    /// The keyed hash of a provider's `sid` together with its issuer. A store receives it in place of these two texts (G5).
    ///
    /// The [`SidIndex`](crate::SidIndex) of a store finds the accounts of a `sid` by it. A [`TokenCache`](crate::TokenCache) computes it.
    /// Apps do not need it.
    SidKey
}

/// The name of an account in a store: the keyed hash of its issuer, and the keyed hash of its issuer and subject together.
///
/// A [`TokenCache`](crate::TokenCache) computes it from an [`AccountId`]. A store never receives the `AccountId` itself (G5). Apps do not
/// need this type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    issuer: IssuerKey,
    subject: [u8; 16],
}

impl AccountKey {
    /// Creates the name of an account from its two keyed hashes. A store calls it when it reads an account's name from its own data.
    ///
    /// `issuer` is the keyed hash of the account's issuer. `subject` is the keyed hash of the account's issuer and subject together.
    pub const fn new(issuer: IssuerKey, subject: [u8; 16]) -> Self {
        Self { issuer, subject }
    }

    /// Returns the keyed hash of the account's issuer.
    pub const fn issuer(&self) -> &IssuerKey {
        &self.issuer
    }

    /// Returns the keyed hash of the account's issuer and subject together. No two accounts have the same,
    /// not even two of one issuer. A store uses it in the name under which it stores the account.
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
