use std::{fmt, sync::Arc};

use crate::{
    Entry, EntryAddress, Result, Secret, TicketSecret,
    crypto::{Key, Ring, RingKey, Sealer, SessionKeys},
};

/// The encryption of one session's entries, as a [`TokenCache`](crate::TokenCache) encrypts them (G5). With it, a test encrypts and decrypts
/// entries without a cache. It sends no request.
///
/// ```
/// use token_cache::{Entry, Secret, Timestamp, Version};
/// use token_cache::store::{AccountKey, EntryAddress, EntryName, IssuerKey, SessionId, test_util::EntrySealer};
///
/// # fn main() -> token_cache::Result<()> {
/// let account = AccountKey::new(IssuerKey::from_bytes([1; 16]), [2; 16]);
/// let at = EntryAddress::new(account, SessionId::from_bytes([3; 16]), EntryName::from_bytes([4; 16]));
/// let sealer = EntrySealer::new(&Secret::random()?, [5; 16]);
///
/// let entry = Entry::new(*b"token", Version::mint()?, Timestamp::from_secs(6));
/// let sealed = sealer.seal(&at, &entry)?;
/// assert_eq!(sealer.open(&at, sealed)?, entry);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct EntrySealer {
    sealer: Sealer,
    keys: Arc<SessionKeys>,
}

impl EntrySealer {
    /// The number of bytes that encryption adds to a value: 45. They are the format (1), the key's id (4), the nonce (24) and the tag (16).
    pub const OVERHEAD: usize = Sealer::OVERHEAD;

    /// Creates a sealer for the session whose ticket secret is `ticket_secret`. Its only ring key is derived from the namespace's `secret`.
    /// A cache with the same secret and without a key ring has the same key.
    pub fn new(secret: &Secret, ticket_secret: [u8; 16]) -> Self {
        Self {
            sealer: sealer(secret),
            keys: keys(ticket_secret),
        }
    }

    /// Returns a sealer with the same ring key, for the session whose ticket secret is `ticket_secret`. Its first use derives the session's
    /// key.
    pub fn of_session(&self, ticket_secret: [u8; 16]) -> Self {
        Self {
            sealer: self.sealer.clone(),
            keys: keys(ticket_secret),
        }
    }

    /// Encrypts the value of `entry` for the address `at`, and returns the entry with the encrypted value. Its version and its expiry are
    /// not encrypted.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn seal(&self, at: &EntryAddress, entry: &Entry) -> Result<Entry> {
        self.sealer.seal(at, &self.keys, entry)
    }

    /// Decrypts an entry that [`seal`](Self::seal) encrypted for the same address `at`, and returns it with the original value.
    ///
    /// # Errors
    /// - [`KeyMissing`](crate::ErrorKind::KeyMissing) if the entry was encrypted under another ring key.
    /// - [`Corrupt`](crate::ErrorKind::Corrupt) if the entry was changed, truncated, moved from another address or session, or stored with
    ///   another version. Also if it has another format.
    pub fn open(&self, at: &EntryAddress, sealed: Entry) -> Result<Entry> {
        self.sealer.open(at, &self.keys, sealed)
    }
}

/// Returns the ring key that every server has without another setting.
pub(super) fn ring_key(secret: &Secret) -> Key {
    Key::derive(RingKey::OF_SECRET, secret.expose())
}

pub(super) fn sealer(secret: &Secret) -> Sealer {
    Sealer::of(Arc::new(Ring::of(ring_key(secret))))
}

pub(super) fn keys(ticket_secret: [u8; 16]) -> Arc<SessionKeys> {
    Arc::new(SessionKeys::new(TicketSecret::from_bytes(ticket_secret)))
}

impl fmt::Debug for EntrySealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EntrySealer([redacted])")
    }
}
