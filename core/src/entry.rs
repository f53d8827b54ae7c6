use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use crate::{
    AccountKey, Error, ErrorKind, Result, SessionId, Timestamp, TokenSet, account, entropy,
    entry_value::Encoding, hash_name::hash_name, seal::SessionKeys, wiped::Wiped,
};

/// The name of an entry within its session, as a text that the app chooses. It usually names a client, a resource or scopes, and the kind
/// of tokens.
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
    /// Creates a key with a text of the app's choice.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) if it is empty, blank or over 8 KiB.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        account::id("name an entry", "entry key", text.into()).map(Self)
    }

    /// Creates the key of the tokens for one resource (RFC 8707). A key of [`new`](Self::new) with the resource alone is another key.
    ///
    /// # Errors
    /// As [`new`](Self::new). Also [`Misuse`](ErrorKind::Misuse) if the resource has white space or a control character: a resource is a
    /// URI.
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
    /// The keyed hash of an [`EntryKey`], by which the store finds the entry within its session.
    EntryName
}

/// The address of an entry in a store: its account, its session's id, and its name.
///
/// Every address has a `SessionId`, so an entry of an ended session cannot be reached. An address that a [`Session`](crate::Session) made
/// also carries the ticket secret, which only encrypts and decrypts the entry. Code outside this crate cannot read it. It has no part in
/// comparing two addresses.
#[derive(Clone)]
pub struct EntryAddress {
    account: AccountKey,
    session_id: SessionId,
    name: EntryName,
    secret: Option<Arc<SessionKeys>>,
}

impl EntryAddress {
    /// Creates the address of `name` in the session `session_id` of `account`, without a ticket secret.
    ///
    /// With it, a store can be called directly. A [`SealedStore`](crate::SealedStore) refuses it as [`Misuse`](ErrorKind::Misuse) when it
    /// encrypts or decrypts.
    pub const fn new(account: AccountKey, session_id: SessionId, name: EntryName) -> Self {
        Self {
            account,
            session_id,
            name,
            secret: None,
        }
    }

    /// Returns the same address with the keys that seal and open its entry.
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

    /// Returns the account.
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// Returns the id of the session.
    pub const fn session_id(&self) -> &SessionId {
        &self.session_id
    }

    /// Returns the name of the entry within the session.
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

/// The version of an entry: random, new for each write, compared only for equality.
///
/// [`PutMode::Update`](crate::PutMode::Update) takes the version that was read, and fails if another one is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version([u8; 8]);

impl Version {
    /// Creates a random version, for a new write.
    ///
    /// # Errors
    /// [`Unexpected`](ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self)
    }

    /// Returns the version with these bytes, as a store holds them.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, as a store holds them.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

/// An entry as it is stored at an [`EntryAddress`]: opaque bytes, their version, and when they expire.
///
/// The bytes are wiped from memory when the entry is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Shared with a near-cache entry and other readers of the same read, so that none of them copies the bytes.
    value: Arc<Wiped>,
    version: Version,
    expires_at: Timestamp,
}

impl Entry {
    /// Creates an entry with these bytes, as a store returns it. `expires_at` is on the store's clock.
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

    /// Returns the bytes of the entry without interpreting them.
    ///
    /// - For an entry that a [`Session`](crate::Session) returned, they are decrypted: one byte for the encoding, and then the value. Read
    ///   the value with [`bytes`](Self::bytes) or [`tokens`](Self::tokens).
    /// - For an entry that was read directly from a store, they are the bytes that the store has. They are encrypted if a
    ///   [`TokenCache`](crate::TokenCache) put the entry.
    pub fn stored(&self) -> &[u8] {
        &self.value
    }

    pub(crate) fn stored_mut(&mut self) -> &mut Wiped {
        Arc::make_mut(&mut self.value)
    }

    /// Returns the version of the entry, for [`PutMode::Update`](crate::PutMode::Update).
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Returns when the entry expires, on the store's clock.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Returns `true` if the entry has expired at `now`, a time on the store's clock.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    /// Returns the value that was put, as bytes. For a token set, it is the JSON in which the token set is stored.
    ///
    /// Call it only on an entry that a [`Session`](crate::Session) returned. An entry that was read directly from a store is still
    /// encrypted: the result is then an error, or bytes without meaning. For such an entry, use [`stored`](Self::stored).
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) if the entry is empty, or its first byte is not an encoding of
    /// [`Session::put`](crate::Session::put).
    pub fn bytes(&self) -> Result<&[u8]> {
        match self.value.split_first() {
            Some((&tag, rest)) if Encoding::from_tag(tag).is_some() => Ok(rest),
            _ => Err(corrupt("its encoding is unknown")),
        }
    }

    /// Returns the token set that was put. Call it only on an entry that a [`Session`](crate::Session) returned: an entry that was read
    /// directly from a store is still encrypted.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) if other bytes than a token set were put, or the entry is still encrypted.
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

    /// Returns `true` if the refresh token of the entry was sent to the provider and the result is unknown.
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
