use std::sync::Arc;

use super::{
    Ring, SessionKeys,
    format::{Header, OVERHEAD},
};
use crate::{Entry, EntryAddress, Error, ErrorKind, Result, Secret, telemetry};

const WHAT: &str = "entry";

/// The encryption of entries, for tools and tests that use a store without a cache, in a [`SealedStore`](super::SealedStore). It sends no
/// request.
///
/// Apps do not need it, because a [`TokenCache`](crate::TokenCache) always encrypts (G5).
///
/// The cipher is XChaCha20-Poly1305. Its key is derived from a key of the key ring and the session's ticket secret (HKDF-SHA-256, RFC
/// 5869). The cipher also authenticates the entry's account, session, name and version, the key's id and the format. An entry that was
/// moved to another address, or stored with another version, cannot be decrypted.
#[derive(Debug, Clone)]
pub struct Sealer(Arc<Ring>);

impl Sealer {
    /// The number of bytes that encryption adds to a value: 45. They are the format (1), the key's id (4), the nonce (24) and the tag (16).
    pub const OVERHEAD: usize = OVERHEAD;

    /// Creates a sealer whose only key is derived from the namespace's `secret`. A cache with the same secret and without a key ring has
    /// the same key. An entry that was encrypted under another key cannot be decrypted: [`open`](Self::open) returns
    /// [`KeyMissing`](ErrorKind::KeyMissing).
    pub fn new(secret: &Secret) -> Self {
        Self::of(Arc::new(Ring::of(secret.ring_key())))
    }

    pub(crate) const fn of(ring: Arc<Ring>) -> Self {
        Self(ring)
    }

    /// Encrypts the value of `entry` for the address `at`, and returns the entry with the encrypted value. Its version and its expiry are
    /// not encrypted.
    ///
    /// # Errors
    /// - [`Misuse`](ErrorKind::Misuse) if the address has no ticket secret, because no [`Session`](crate::Session) created the address.
    /// - [`Unexpected`](ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn seal(&self, at: &EntryAddress, entry: &Entry) -> Result<Entry> {
        let secret = secret_of(at, "seal an entry")?;
        let keys = self.0.keys();
        let header = Header::new(keys.seals.id())?;
        let authenticated = header.with_address(at, entry.version());
        let sealed = secret.with(&keys.seals, |cipher| {
            cipher.seal(&header, &authenticated, entry.stored())
        })?;
        Ok(Entry::new(sealed, entry.version(), entry.expires_at()))
    }

    /// Decrypts an entry that [`seal`](Self::seal) encrypted for the same address `at`, and returns it with the original value.
    ///
    /// # Errors
    /// - [`KeyMissing`](ErrorKind::KeyMissing) if the entry was encrypted under a key that is not in the key ring.
    /// - [`Corrupt`](ErrorKind::Corrupt) if the entry was changed, truncated, moved from another address or stored with another version, or
    ///   has another format.
    /// - [`Misuse`](ErrorKind::Misuse) if the address has no ticket secret.
    pub fn open(&self, at: &EntryAddress, sealed: Entry) -> Result<Entry> {
        let secret = secret_of(at, "open an entry")?;
        self.open_with(at, secret, sealed).inspect_err(|refused| {
            self.0.count(refused);
            telemetry::not_opened(refused);
        })
    }

    fn open_with(
        &self,
        at: &EntryAddress,
        secret: &SessionKeys,
        mut sealed: Entry,
    ) -> Result<Entry> {
        let version = sealed.version();
        let header = Header::read(sealed.stored(), WHAT)?;
        let key = self.0.key(header.key, WHAT)?;
        let authenticated = header.with_address(at, version);
        let bytes = sealed.stored_mut();
        let length = secret
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

fn secret_of<'a>(at: &'a EntryAddress, operation: &'static str) -> Result<&'a SessionKeys> {
    at.secret().ok_or_else(|| {
        Error::misuse(
            operation,
            "the address has no ticket secret; use the methods of `Session`, whose addresses have one",
        )
    })
}
