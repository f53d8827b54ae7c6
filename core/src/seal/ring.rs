use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use chacha20poly1305::aead::AeadInOut;
use zeroize::Zeroizing;

use super::{
    Key,
    format::{Header, KeyId, OVERHEAD, Parts},
};
use crate::{Error, ErrorKind, Result};

/// The keys at work: one seals, all open. They can be replaced while others read them.
pub(crate) struct Ring {
    keys: RwLock<Arc<Keys>>,
    pub(super) unknown_key: AtomicU64,
    pub(super) corrupt: AtomicU64,
}

/// The keys of a ring: one seals, all open.
pub(crate) struct Keys {
    pub(super) seals: Arc<Key>,
    pub(super) opens: Vec<Arc<Key>>,
}

impl Ring {
    pub(crate) fn new(keys: Keys) -> Self {
        Self {
            keys: RwLock::new(Arc::new(keys)),
            unknown_key: AtomicU64::new(0),
            corrupt: AtomicU64::new(0),
        }
    }

    /// A ring of one key.
    pub(crate) fn of(key: Key) -> Self {
        Self::new(Keys {
            seals: Arc::new(key),
            opens: Vec::new(),
        })
    }

    /// Seals and opens with these keys from now on.
    pub(crate) fn replace(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    pub(crate) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key that sealed `what`.
    pub(super) fn key(&self, id: KeyId, what: &str) -> Result<Arc<Key>> {
        self.keys().find(id).ok_or_else(|| {
            Error::new(ErrorKind::KeyMissing, "open what is sealed").message(format!(
                "the {what} was sealed under key {:08x}, which this server lacks; give every server the same TOKEN_CACHE_SECRET \
                 and the same key ring, a new key as an open-only one first",
                u32::from_be_bytes(id),
            ))
        })
    }

    /// Seals what leaves for a browser, a job's database or an escrow, so that it can't pass for anything else that is sealed.
    pub(crate) fn seal(&self, purpose: &'static str, plain: &[u8]) -> Result<Vec<u8>> {
        let keys = self.keys();
        let header = Header::new(keys.seals.id())?;
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
        header.write(&mut sealed);
        let body = sealed.len();
        sealed.extend_from_slice(plain);
        let tag = keys
            .seals
            .texts()
            .encrypt_inout_detached(
                &header.nonce.into(),
                &header.with_purpose(purpose),
                (&mut sealed[body..]).into(),
            )
            .map_err(|_| Error::new(ErrorKind::Unexpected, "seal"))?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens what [`seal`](Self::seal) made for the same purpose.
    pub(crate) fn open(&self, purpose: &'static str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let Parts { header, body, tag } = Parts::of(sealed, purpose)?;
        let key = self.key(header.key, purpose)?;
        let mut plain = Zeroizing::new(body.to_vec());
        key.texts()
            .decrypt_inout_detached(
                &header.nonce.into(),
                &header.with_purpose(purpose),
                plain.as_mut_slice().into(),
                &tag.into(),
            )
            .map_err(|_| {
                Error::new(ErrorKind::Corrupt, "open what is sealed").message(format!(
                    "the {purpose} was changed or cut short; have the user sign in again"
                ))
            })?;
        key.was_of_use();
        Ok(plain)
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
