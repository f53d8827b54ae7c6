use std::{fmt, sync::Arc};

use crate::{
    AccountKey, Error, ErrorKind, Result, SessionId, Timestamp, TokenSet, types::account,
    types::entropy, types::entry_value::Encoding, util::hash_name::hash_name, util::wiped::Wiped,
};

/// The app's name for an entry in a session: a text that the app chooses, such as the API that the entry's tokens are for.
///
/// A session has at most one entry under each key. The same key in two sessions names two entries. A store receives only a keyed hash of
/// the text ([`EntryName`]).
///
/// ```
/// use token_cache::EntryKey;
///
/// let api = EntryKey::resource("https://api.example")?;
/// let mail = EntryKey::new("client-7|Mail.Read Mail.Send|delegated")?;
/// assert!(EntryKey::new("").is_err());
/// # Ok::<(), token_cache::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EntryKey(String);

impl EntryKey {
    /// Creates a key from a text of the app's choice. The text is used exactly as it is.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) if `text` is empty, contains only white space, or is longer than 8 KiB.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        account::id("name an entry", "entry key", text.into()).map(Self)
    }

    /// Creates the key of the tokens for one resource, such as an API. `resource` is its URI, as in the parameter `resource` of a token
    /// request (RFC 8707).
    ///
    /// The result differs from `EntryKey::new(resource)`, which names another entry: write and read an entry with the same function.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) if `resource` is empty, is longer than 8,183 bytes, or contains white space or a control character.
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
    /// The keyed hash of an [`EntryKey`]. A store finds the entry within its session by it, and never receives the text of the key (G5). A
    /// [`TokenCache`](crate::TokenCache) computes it, and apps do not need it.
    EntryName
}

/// The address of an entry in a store: the entry's account, its session's id, and its name within the session.
///
/// A [`Session`](crate::Session) creates it, and passes it to the store with each read and write. Apps do not need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryAddress {
    account: AccountKey,
    session_id: SessionId,
    name: EntryName,
}

impl EntryAddress {
    /// Creates the address of the entry `name` in the session `session_id` of `account`. A [`Session`](crate::Session) calls it, and so do
    /// tests and tools that call a store directly.
    pub const fn new(account: AccountKey, session_id: SessionId, name: EntryName) -> Self {
        Self {
            account,
            session_id,
            name,
        }
    }

    /// Returns the name of the account to which the entry's session belongs.
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// Returns the id of the entry's session.
    pub const fn session_id(&self) -> &SessionId {
        &self.session_id
    }

    /// Returns the name of the entry within its session.
    pub const fn name(&self) -> &EntryName {
        &self.name
    }
}

/// The version of a stored entry: 8 random bytes, new for each write. Two versions can only be compared for equality.
///
/// Pass the version of an entry that was read to [`PutMode::Update`](crate::PutMode::Update). If the store has another version of the entry
/// by now, the write changes nothing, and returns [`PutResult::PreconditionFailed`](crate::PutResult::PreconditionFailed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version([u8; 8]);

impl Version {
    /// Creates a random version for a new write. [`Session::put`](crate::Session::put) calls it, so apps do not need it.
    ///
    /// # Errors
    /// [`Unexpected`](ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self)
    }

    /// Creates an entry's version from its 8 bytes. A store calls it when it reads the bytes from its own data.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Returns the 8 bytes of the version. A store calls it to write them to its own data.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

/// An entry of a session: its bytes, the version of the write that stored it, and the time at which it expires.
///
/// [`Session::get`](crate::Session::get) returns it. Read its value with [`tokens`](Self::tokens) or [`bytes`](Self::bytes). The bytes are
/// wiped from memory when the entry and its clones are dropped, and no near-cache entry shares them any more.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Shared with a near-cache entry and other readers of the same read, so that none of them copies the bytes.
    value: Arc<Wiped>,
    version: Version,
    expires_at: Timestamp,
}

impl Entry {
    /// Creates an entry from the bytes that a store has stored. A store calls it when it reads an entry. An app passes its values to
    /// [`Session::put`](crate::Session::put) instead.
    ///
    /// `value` contains the stored bytes, unchanged. `version` is the version of the write that stored them. `expires_at` is the time at
    /// which the entry expires, on the store's clock.
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

    /// Returns all bytes of the entry, without interpreting them. It is for authors of a store: an app calls [`tokens`](Self::tokens) or
    /// [`bytes`](Self::bytes).
    ///
    /// - For an entry that a [`Session`](crate::Session) returned, the bytes are decrypted. The first byte states how the value is encoded,
    ///   and the value follows.
    /// - For an entry that was read directly from a store, they are the bytes that the store has. They are encrypted if a
    ///   [`TokenCache`](crate::TokenCache) wrote the entry.
    pub fn stored(&self) -> &[u8] {
        &self.value
    }

    pub(crate) fn stored_mut(&mut self) -> &mut Wiped {
        Arc::make_mut(&mut self.value)
    }

    /// Returns the version of the write that stored the entry. Pass it to [`PutMode::Update`](crate::PutMode::Update), to replace the entry
    /// only if the store still has this version.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Returns the time at which the entry expires, on the store's clock. It is the end of the session's lifetime, or an earlier time. A
    /// sign-out can end the session before it.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Returns `true` if the entry has expired at `now`, a time on the store's clock: [`expires_at`](Self::expires_at) is equal to `now` or
    /// earlier. Returns `false` if the entry is still valid.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    /// Returns the value that was put, as bytes. For a token set, the bytes are the JSON in which the token set is stored.
    ///
    /// Call it only on an entry that a [`Session`](crate::Session) returned. An entry that was read directly from a store is still
    /// encrypted: the method then returns an error, or bytes without meaning. For such an entry, use [`stored`](Self::stored).
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) if the entry is empty, or does not begin with one of the bytes by which
    /// [`Session::put`](crate::Session::put) marks the encoding.
    pub fn bytes(&self) -> Result<&[u8]> {
        match self.value.split_first() {
            Some((&tag, rest)) if Encoding::from_tag(tag).is_some() => Ok(rest),
            _ => Err(corrupt("its encoding is unknown")),
        }
    }

    /// Returns the token set that was put.
    ///
    /// Call it only on an entry that a [`Session`](crate::Session) returned. An entry that was read directly from a store is still
    /// encrypted.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) if bytes were put instead of a token set, if the entry is still encrypted, or if its JSON is not
    /// that of a token set.
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
