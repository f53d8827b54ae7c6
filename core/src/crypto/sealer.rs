use std::sync::Arc;

use super::{
    Ring, SessionKeys,
    format::{Header, OVERHEAD},
};
use crate::{Entry, EntryAddress, Error, ErrorKind, Result, telemetry};

const WHAT: &str = "entry";

/// The choice of what a read returns if the entry cannot be decrypted, because its key is missing or its bytes were changed: an error or
/// `None`.
///
/// The app passes it to [`TokenCacheBuilder::unreadable_entries`](crate::TokenCacheBuilder::unreadable_entries). The default is
/// [`Error`](Self::Error). With either setting, [`TokenCache::encryption_stats`](crate::TokenCache::encryption_stats) counts such reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnreadableEntries {
    /// The read fails with [`KeyMissing`](crate::ErrorKind::KeyMissing) or [`Corrupt`](crate::ErrorKind::Corrupt). An app server that lacks
    /// a new key then fails visibly, and no user has to sign in again.
    #[default]
    Error,
    /// The read returns `None`, as for a missing entry. Use it if a key is lost forever, so that users can sign in again.
    Miss,
}

/// The encryption of entries.
///
/// The cipher is XChaCha20-Poly1305. Its key is derived from a key of the key ring and the session's ticket secret (HKDF-SHA-256, RFC
/// 5869). The cipher also authenticates the entry's account, session, name and version, the key's id and the format. An entry that was
/// moved to another address, or stored with another version, cannot be decrypted.
#[derive(Debug, Clone)]
pub(crate) struct Sealer(Arc<Ring>);

impl Sealer {
    /// The number of bytes that encryption adds to a value: the format (1), the key's id (4), the nonce (24) and the tag (16).
    pub(crate) const OVERHEAD: usize = OVERHEAD;

    pub(crate) const fn of(ring: Arc<Ring>) -> Self {
        Self(ring)
    }

    /// Encrypts the value of `entry` for the address `at` under the `keys` of its session, and returns the entry with the encrypted value.
    /// Its version and its expiry are not encrypted.
    ///
    /// # Errors
    /// [`Unexpected`](ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub(crate) fn seal(
        &self,
        at: &EntryAddress,
        keys: &SessionKeys,
        entry: &Entry,
    ) -> Result<Entry> {
        let ring = self.0.keys();
        let header = Header::new(ring.seals.id())?;
        let authenticated = header.with_address(at, entry.version());
        let sealed = keys.with(&ring.seals, |cipher| {
            cipher.seal(&header, &authenticated, entry.stored())
        })?;
        Ok(Entry::new(sealed, entry.version(), entry.expires_at()))
    }

    /// Decrypts an entry that [`seal`](Self::seal) encrypted for the same address and session, and returns it with the original value.
    ///
    /// # Errors
    /// - [`KeyMissing`](ErrorKind::KeyMissing) if the entry was encrypted under a key that is not in the key ring.
    /// - [`Corrupt`](ErrorKind::Corrupt) if the entry was changed, truncated, moved from another address or stored with another version, or
    ///   has another format.
    pub(crate) fn open(
        &self,
        at: &EntryAddress,
        keys: &SessionKeys,
        sealed: Entry,
    ) -> Result<Entry> {
        self.open_with(at, keys, sealed).inspect_err(|refused| {
            self.0.count(refused);
            telemetry::not_opened(refused);
        })
    }

    fn open_with(&self, at: &EntryAddress, keys: &SessionKeys, mut sealed: Entry) -> Result<Entry> {
        let version = sealed.version();
        let header = Header::read(sealed.stored(), WHAT)?;
        let key = self.0.key(header.key, WHAT)?;
        let authenticated = header.with_address(at, version);
        let bytes = sealed.stored_mut();
        let length = keys
            .with(&key, |cipher| cipher.open(&header, &authenticated, bytes))
            .ok_or_else(|| {
                Error::new(ErrorKind::Corrupt, "open sealed bytes").message(
                    "the entry was changed, truncated, or moved from another address; check who can write to the store",
                )
            })?;
        bytes.truncate(length);
        key.was_of_use();
        Ok(sealed)
    }
}
