use std::{collections::HashSet, fmt};

use secrecy::{ExposeSecret, SecretSlice};
use zeroize::Zeroizing;

use crate::{Diagnostic, Error, Result, Secret};

const TAKE: &str = "take the key ring";

/// The keys by which an app server encrypts and decrypts entries, tickets, started sign-ins and background sessions. One key encrypts, and
/// all keys decrypt.
///
/// A key ring is for apps whose keys must be replaceable without signing users out. Pass it to
/// [`TokenCacheBuilder::key_ring`](crate::TokenCacheBuilder::key_ring), or set the environment variable
/// [`TOKEN_CACHE_KEYS`](Self::from_env). With neither, the only key is derived from the [secret](crate::Secret) of the namespace, and it
/// cannot be replaced. To replace the key ring of an open cache, follow the steps of
/// [`TokenCache::replace_key_ring`](crate::TokenCache::replace_key_ring).
///
/// The text form has one item in each line, or several separated by commas. An item is `seal` or `open`, a name, and a key:
/// - Exactly one item begins with `seal`; any other number is refused with [`Config`](crate::ErrorKind::Config). Its key encrypts and
///   decrypts. The keys of items with `open` only decrypt.
/// - A key is at least 32 random bytes as base64 (`openssl rand -base64 32`). It can also be `wrapped:` followed by an encrypted key as
///   base64, which a [`KeyProvider`](super::KeyProvider) decrypts.
/// - The name `secret` has no key after it: it is the key that is derived from the secret.
/// - A comment begins with `#`.
///
/// ```
/// use token_cache::keys::KeyRing;
///
/// let ring: KeyRing = "
///     seal 2026-11  yrXc1Yk0Dcu3vhQ2k1nmzEbkMxN7gJ8sJb1dwS0n6kE=
///     open 2026-05  N0Ov2yJYb2iY2wXbBqIh6bS1bN7b1dH0PqS4dM3zE3o=
///     open secret   # for what was encrypted before there was a ring
/// ".parse()?;
/// # Ok::<(), token_cache::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct KeyRing {
    pub(super) seals: RingKey,
    pub(super) opens: Vec<RingKey>,
    /// Diagnostics of the file that the ring was read from.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// A key of a [`KeyRing`], and its name. Errors, metrics and [`EncryptionStats`](super::EncryptionStats) contain the name. It has no effect
/// on the encryption.
#[derive(Clone)]
pub struct RingKey {
    name: String,
    material: Material,
}

#[derive(Clone)]
pub(super) enum Material {
    /// Derived from the secret.
    OfSecret,
    /// The bytes themselves.
    Plain(SecretSlice<u8>),
    /// A key that the key provider unwraps.
    Wrapped(Vec<u8>),
}

impl KeyRing {
    /// The largest number of keys in a key ring, including the key that encrypts: 16. With more keys, opening a cache, replacing its key
    /// ring and parsing a key ring fail with [`Config`](crate::ErrorKind::Config).
    pub const MAX_KEYS: usize = 16;

    /// Creates a key ring with one key, which encrypts and decrypts. Add keys that only decrypt with [`opening`](Self::opening).
    pub fn sealing_with(key: RingKey) -> Self {
        Self {
            seals: key,
            opens: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Adds a key that only decrypts: an old key, or a new key before all app servers have it.
    ///
    /// This method checks nothing. Opening a cache fails with [`Config`](crate::ErrorKind::Config) if a key or a name occurs twice, or if
    /// there are more than [`MAX_KEYS`](Self::MAX_KEYS) keys.
    pub fn opening(mut self, key: RingKey) -> Self {
        self.opens.push(key);
        self
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &RingKey> {
        std::iter::once(&self.seals).chain(&self.opens)
    }

    /// Checks that no name occurs twice, and that there are not too many keys.
    pub(super) fn checked(&self) -> Result<()> {
        let keys = 1 + self.opens.len();
        if keys > Self::MAX_KEYS {
            return Err(Error::config(
                TAKE,
                format!(
                    "the ring has {keys} keys, and at most {} are allowed; remove the keys that have been idle longest",
                    Self::MAX_KEYS,
                ),
            ));
        }
        let mut names = HashSet::new();
        match self.keys().find(|key| !names.insert(&key.name)) {
            Some(twice) => Err(Error::config(
                TAKE,
                format!(
                    "the name `{}` occurs twice; give every key its own name",
                    twice.name
                ),
            )),
            None => Ok(()),
        }
    }
}

impl RingKey {
    /// The least length of a key, in bytes: 32. [`new`](Self::new) refuses a shorter key with [`Config`](crate::ErrorKind::Config).
    pub const MIN_BYTES: usize = Secret::MIN_BYTES;

    /// The name of the key that is derived from the namespace's [`Secret`], in the text form of a [`KeyRing`]: `secret`.
    pub const OF_SECRET: &str = "secret";

    /// Creates a key from its bytes, which must be random: other bytes could be guessed. For a key that a key management service has
    /// encrypted, use [`wrapped`](Self::wrapped).
    ///
    /// `name` is a text of the operator's choice, such as the month in which the key was made. It must be unique in the key ring.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if there are fewer than [`MIN_BYTES`](Self::MIN_BYTES) bytes, or if all bytes are equal. The
    /// same error is returned if `name` is `secret`, or is not 1 to 32 letters, digits, `.`, `-` and `_`.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let bytes = Zeroizing::new(bytes.into());
        let name = checked_name(name)?;
        Ok(Self {
            material: Material::Plain(checked_bytes(&name, &bytes)?),
            name,
        })
    }

    /// Creates a key from its wrapped form: the bytes of a key that a key management service has encrypted.
    ///
    /// `name` is the name of the key in the key ring. The [`KeyProvider`](super::KeyProvider) of the cache decrypts `wrapped` when the
    /// cache is opened, and when its key ring is replaced. Without a key provider, opening the cache or replacing its key ring fails with
    /// [`Config`](crate::ErrorKind::Config).
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if `wrapped` is empty or longer than 8 KiB, or if `name` is invalid for [`new`](Self::new).
    pub fn wrapped(name: &str, wrapped: impl Into<Vec<u8>>) -> Result<Self> {
        let (name, wrapped) = (checked_name(name)?, wrapped.into());
        if !(1..=8 * 1024).contains(&wrapped.len()) {
            return Err(Error::config(
                TAKE,
                format!(
                    "the wrapped key `{name}` has {} bytes; it must have between 1 and 8,192",
                    wrapped.len()
                ),
            ));
        }
        Ok(Self {
            name,
            material: Material::Wrapped(wrapped),
        })
    }

    /// Creates the key that is derived from the namespace's [`Secret`], the one that the cache was opened with. Its name is `secret`.
    ///
    /// A cache without a key ring encrypts everything under this key. The first key ring of an app therefore needs it, to decrypt what is
    /// stored. Without it, reads of the stored entries fail with [`KeyMissing`](crate::ErrorKind::KeyMissing).
    pub fn of_secret() -> Self {
        Self {
            name: Self::OF_SECRET.to_owned(),
            material: Material::OfSecret,
        }
    }

    /// Returns the name of the key in the key ring, such as `2026-11`.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn material(&self) -> &Material {
        &self.material
    }
}

impl fmt::Debug for RingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Returns the bytes of the key `name`, if they are a valid key.
pub(super) fn checked_bytes(name: &str, bytes: &[u8]) -> Result<SecretSlice<u8>> {
    if bytes.len() < RingKey::MIN_BYTES {
        return Err(Error::config(
            TAKE,
            format!(
                "the key `{name}` has {} bytes and needs at least {}; make one with `openssl rand -base64 32`",
                bytes.len(),
                RingKey::MIN_BYTES,
            ),
        ));
    }
    if bytes.iter().all(|byte| *byte == bytes[0]) {
        return Err(Error::config(
            TAKE,
            format!("the key `{name}` repeats one byte; make one with `openssl rand -base64 32`"),
        ));
    }
    Ok(bytes.to_vec().into())
}

/// Checks a name. It is too short to be a key, so that errors may quote it.
fn checked_name(name: &str) -> Result<String> {
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b".-_".contains(&letter);
    if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
        return Err(Error::config(
            TAKE,
            "the name of a key must have 1 to 32 letters, digits, `.`, `-` or `_`",
        ));
    }
    if name == RingKey::OF_SECRET {
        return Err(Error::config(
            TAKE,
            "the name `secret` is reserved for the key that is derived from the secret; give this key another name",
        ));
    }
    Ok(name.to_owned())
}

impl Material {
    pub(super) fn expose<'a>(&'a self, secret: &'a Secret) -> Option<&'a [u8]> {
        match self {
            Self::OfSecret => Some(secret.expose()),
            Self::Plain(bytes) => Some(bytes.expose_secret()),
            Self::Wrapped(_) => None,
        }
    }
}
