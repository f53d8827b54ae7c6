use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use crate::{
    AccountKey, Error, ErrorKind, Result, SessionId, Timestamp, TokenSet, account, entropy,
    entry_value::Encoding, hash_name::hash_name, seal::SessionKeys, wiped::Wiped,
};

/// Which token set of a session: a client, the resource or scopes it is for, and its kind, as one text.
///
/// ```
/// use token_cache_core::EntryKey;
///
/// let api = EntryKey::resource("https://api.example")?;
/// let mail = EntryKey::new("client-7|Mail.Read Mail.Send|delegated")?;
/// assert!(EntryKey::new("").is_err());
/// # Ok::<(), token_cache_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EntryKey(String);

impl EntryKey {
    /// A key with a text of the app's own.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) if it is empty, blank or over 8 KiB.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        account::id("name an entry", "entry key", text.into()).map(Self)
    }

    /// The key of the tokens for one resource (RFC 8707).
    ///
    /// # Errors
    /// As [`new`](Self::new), and if it has white space or a control character: a resource is a URI.
    pub fn resource(resource: &str) -> Result<Self> {
        let resource = account::uri("name an entry", "resource", resource.to_owned())?;
        Self::new(format!("resource {resource}"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EntryKey([redacted])")
    }
}

hash_name! {
    /// The keyed hash of an [`EntryKey`].
    EntryName
}

/// Where an entry is stored: its account, its session's id, its own name.
///
/// There is no address without a `SessionId`, so an entry of an ended session can't be reached. One that a
/// [`Session`](crate::Session) made carries the ticket secret itself as well, for sealing alone: nothing outside this crate can ask for
/// it, and two addresses are equal with it or without.
#[derive(Clone)]
pub struct EntryAddress {
    account: AccountKey,
    session_id: SessionId,
    name: EntryName,
    secret: Option<Arc<SessionKeys>>,
}

impl EntryAddress {
    /// The address of `name` in the session `session_id` of `account`.
    pub const fn new(account: AccountKey, session_id: SessionId, name: EntryName) -> Self {
        Self {
            account,
            session_id,
            name,
            secret: None,
        }
    }

    /// The same address, at which an entry can be sealed and opened.
    pub(crate) fn with_secret(mut self, secret: Arc<SessionKeys>) -> Self {
        self.secret = Some(secret);
        self
    }

    pub(crate) fn secret(&self) -> Option<&SessionKeys> {
        self.secret.as_deref()
    }

    fn parts(&self) -> (&AccountKey, &SessionId, &EntryName) {
        (&self.account, &self.session_id, &self.name)
    }

    /// The account.
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// The session.
    pub const fn session_id(&self) -> &SessionId {
        &self.session_id
    }

    /// The entry within the session.
    pub const fn name(&self) -> &EntryName {
        &self.name
    }
}

impl PartialEq for EntryAddress {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for EntryAddress {}

impl Hash for EntryAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl fmt::Debug for EntryAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryAddress")
            .field("account", &self.account)
            .field("session_id", &self.session_id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Which write an entry is from: random, compared only for equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version([u8; 8]);

impl Version {
    /// A new version.
    ///
    /// # Errors
    /// [`Unexpected`](ErrorKind::Unexpected) where the operating system gives no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self)
    }

    /// The version with these bytes.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The bytes that a store keeps.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

/// What is stored at an [`EntryAddress`]: opaque bytes, their version, and when they expire.
///
/// The bytes are wiped from memory when the entry is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Shared with whatever else holds the same read: a copy is handed out without copying it.
    value: Arc<Wiped>,
    version: Version,
    expires_at: Timestamp,
}

impl Entry {
    /// An entry of these parts; `expires_at` is a moment of the store's clock.
    pub fn new(value: impl Into<Vec<u8>>, version: Version, expires_at: Timestamp) -> Self {
        Self::of(Wiped::new(value.into()), version, expires_at)
    }

    pub(crate) fn of(value: Wiped, version: Version, expires_at: Timestamp) -> Self {
        Self {
            value: Arc::new(value),
            version,
            expires_at,
        }
    }

    /// The bytes that a store keeps: sealed ones where a [`TokenCache`](crate::TokenCache) put the entry.
    pub fn stored(&self) -> &[u8] {
        &self.value
    }

    pub(crate) fn stored_mut(&mut self) -> &mut Wiped {
        Arc::make_mut(&mut self.value)
    }

    /// Which write this is.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// From this moment of the store's clock on, it is a miss.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// True where it is a miss at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    /// The bytes that were put.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) where they were not put by [`Session::put`](crate::Session::put).
    pub fn bytes(&self) -> Result<&[u8]> {
        match self.value.split_first() {
            Some((&tag, rest)) if Encoding::from_tag(tag).is_some() => Ok(rest),
            _ => Err(corrupt("its encoding is unknown")),
        }
    }

    /// The token set that was put.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) where something else was put.
    pub fn tokens(&self) -> Result<TokenSet> {
        match self.value.split_first() {
            Some((&tag, json))
                if matches!(
                    Encoding::from_tag(tag),
                    Some(Encoding::TokenSet | Encoding::Sent)
                ) =>
            {
                TokenSet::from_stored(json)
            }
            _ => Err(corrupt("it holds no token set")),
        }
    }

    /// True where its refresh token was sent, and what became of it is not known.
    pub(crate) fn is_sent(&self) -> bool {
        self.value.first().copied().and_then(Encoding::from_tag) == Some(Encoding::Sent)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("value", &"[redacted]")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

fn corrupt(message: &str) -> Error {
    Error::new(ErrorKind::Corrupt, "decode an entry").message(message)
}
