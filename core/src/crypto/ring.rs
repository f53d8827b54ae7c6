use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use zeroize::Zeroizing;

use super::{
    Key,
    cipher::Cipher,
    format::{Header, KeyId},
};
use crate::{Diagnostic, Error, ErrorKind, Result};

/// The keys in use: one seals, all open. They can be replaced at any time.
pub(crate) struct Ring {
    keys: RwLock<Arc<Keys>>,
    pub(super) unknown_key: AtomicU64,
    pub(super) corrupt: AtomicU64,
}

/// The keys of a ring: one seals, all open.
pub(crate) struct Keys {
    pub(super) seals: Arc<Key>,
    pub(super) opens: Vec<Arc<Key>>,
    /// Diagnostics of the ring's source.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Ring {
    pub(crate) fn new(keys: Keys) -> Self {
        Self {
            keys: RwLock::new(Arc::new(keys)),
            unknown_key: AtomicU64::new(0),
            corrupt: AtomicU64::new(0),
        }
    }

    /// Returns a ring of one key.
    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn of(key: Key) -> Self {
        Self::new(Keys {
            seals: Arc::new(key),
            opens: Vec::new(),
            diagnostics: Vec::new(),
        })
    }

    /// Seals and opens with these keys from now on.
    pub(crate) fn replace(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    pub(crate) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the key with this id, which sealed `what`.
    pub(super) fn key(&self, id: KeyId, what: &str) -> Result<Arc<Key>> {
        self.keys().find(id).ok_or_else(|| {
            Error::new(ErrorKind::KeyMissing, "open sealed bytes").message(format!(
                "the {what} was sealed under key {:08x}, which is not in the key ring of this server; give every server the same \
                 TOKEN_CACHE_SECRET and the same key ring, and add a new key as an open-only one first",
                u32::from_be_bytes(id),
            ))
        })
    }

    /// Seals a ticket, a started sign-in or a background session. Bytes that are sealed for one purpose do not open for another.
    pub(crate) fn seal(&self, purpose: &'static str, plain: &[u8]) -> Result<Vec<u8>> {
        let key = Arc::clone(&self.keys().seals);
        seal_under(key.texts(), key.id(), purpose, plain)
    }

    /// Opens what [`seal`](Self::seal) sealed for the same purpose.
    pub(crate) fn open(&self, purpose: &'static str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let header = Header::read(sealed, purpose)?;
        let key = self.key(header.key, purpose)?;
        open_under(key.texts(), &key, &header, purpose, sealed)
    }

    /// Seals under both the ring and an assertion.
    pub(crate) fn seal_with(
        &self,
        purpose: &'static str,
        assertion: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>> {
        let key = Arc::clone(&self.keys().seals);
        seal_under(&key.of_assertion(assertion), key.id(), purpose, plain)
    }

    /// Opens what [`seal_with`](Self::seal_with) sealed for the same purpose with the same assertion.
    pub(crate) fn open_with(
        &self,
        purpose: &'static str,
        assertion: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let header = Header::read(sealed, purpose)?;
        let key = self.key(header.key, purpose)?;
        open_under(&key.of_assertion(assertion), &key, &header, purpose, sealed)
    }

    /// Counts an entry that could not be opened.
    pub(super) fn count(&self, refused: &Error) {
        let counter = match refused.kind() {
            ErrorKind::KeyMissing => &self.unknown_key,
            _ => &self.corrupt,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn seal_under(cipher: &Cipher, id: KeyId, purpose: &'static str, plain: &[u8]) -> Result<Vec<u8>> {
    let header = Header::new(id)?;
    cipher.seal(&header, &header.with_purpose(purpose), plain)
}

fn open_under(
    cipher: &Cipher,
    key: &Key,
    header: &Header,
    purpose: &'static str,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let mut plain = Zeroizing::new(sealed.to_vec());
    let length = cipher
        .open(header, &header.with_purpose(purpose), &mut plain)
        .ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, "open sealed bytes").message(format!(
                "the {purpose} was changed or truncated; have the user sign in again"
            ))
        })?;
    plain.truncate(length);
    key.was_of_use();
    Ok(plain)
}

impl Keys {
    fn find(&self, id: KeyId) -> Option<Arc<Key>> {
        self.all().find(|key| key.id() == id).cloned()
    }

    pub(super) fn named(&self, name: &str) -> Option<&Arc<Key>> {
        self.all().find(|key| key.name() == name)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Key>> {
        std::iter::once(&self.seals).chain(&self.opens)
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field(
                "keys",
                &self
                    .keys()
                    .all()
                    .map(|key| key.name().to_owned())
                    .collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opening needs both the ring and the assertion.
    #[test]
    fn ring_and_assertion_open_together_and_neither_alone() {
        let ring = || Ring::of(Key::derive("k", &[7; 32]));
        let sealed = ring()
            .seal_with("escrow", b"assertion", b"ticket secret")
            .unwrap();
        let opened = ring().open_with("escrow", b"assertion", &sealed).unwrap();
        assert_eq!(*opened, b"ticket secret");
        let kind = |opened: Result<_>| opened.unwrap_err().kind();
        let corrupt = ErrorKind::Corrupt;
        assert_eq!(
            kind(ring().open_with("escrow", b"another", &sealed)),
            corrupt
        );
        assert_eq!(
            kind(ring().open_with("ticket", b"assertion", &sealed)),
            corrupt
        );
        assert_eq!(kind(ring().open("escrow", &sealed)), corrupt);
        let other = Ring::of(Key::derive("k", &[8; 32]));
        let opened = other.open_with("escrow", b"assertion", &sealed);
        assert_eq!(kind(opened), ErrorKind::KeyMissing);
        let alone = ring().seal("escrow", b"ticket secret").unwrap();
        assert_eq!(
            kind(ring().open_with("escrow", b"assertion", &alone)),
            corrupt
        );
    }
}
