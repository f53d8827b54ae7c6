use std::{collections::HashSet, fmt};

use secrecy::{ExposeSecret, SecretSlice};
use zeroize::Zeroizing;

use crate::{Diagnostic, Error, Result, Secret};

const TAKE: &str = "take the key ring";

/// The keys that seal what leaves this server, and open it again: one seals, all open.
///
/// Without one, [`TOKEN_CACHE_KEYS`](Self::from_env) is read; without that, the one key is derived from the secret, and nothing
/// rotates. A ring of one's own can be replaced while it is at work:
/// [`TokenCache::replace_key_ring`](crate::TokenCache::replace_key_ring) says in which order.
///
/// Its text form has an item a line, or between commas: `seal` or `open`, a name, and 32 random bytes or more as base64
/// (`openssl rand -base64 32`), or, behind `wrapped:`, what a [`KeyProvider`](super::KeyProvider) unwraps. The name `secret` has
/// nothing behind it: it is the key that is derived from the secret. What follows a `#` is a comment.
///
/// ```
/// use token_cache_core::KeyRing;
///
/// let ring: KeyRing = "
///     seal 2026-11  yrXc1Yk0Dcu3vhQ2k1nmzEbkMxN7gJ8sJb1dwS0n6kE=
///     open 2026-05  N0Ov2yJYb2iY2wXbBqIh6bS1bN7b1dH0PqS4dM3zE3o=
///     open secret   # what was sealed before there was a ring
/// ".parse()?;
/// # Ok::<(), token_cache_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct KeyRing {
    pub(super) seals: RingKey,
    pub(super) opens: Vec<RingKey>,
    /// About the file it was read from.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// A key of a [`KeyRing`], and its name.
#[derive(Clone)]
pub struct RingKey {
    name: String,
    material: Material,
}

#[derive(Clone)]
pub(super) enum Material {
    /// Derived from the secret.
    OfSecret,
    /// As it was given.
    Plain(SecretSlice<u8>),
    /// To be unwrapped by the key provider.
    Wrapped(Vec<u8>),
}

impl KeyRing {
    /// The most keys a ring may have.
    pub const MAX_KEYS: usize = 16;

    /// A ring whose one key seals and opens.
    pub fn sealing_with(key: RingKey) -> Self {
        Self {
            seals: key,
            opens: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Adds a key that opens.
    pub fn opening(mut self, key: RingKey) -> Self {
        self.opens.push(key);
        self
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &RingKey> {
        std::iter::once(&self.seals).chain(&self.opens)
    }

    /// Refuses a ring that has a name twice, or too many keys.
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
    /// The fewest bytes a key may have.
    pub const MIN_BYTES: usize = Secret::MIN_BYTES;

    /// What the ring's text calls the key that is derived from the secret.
    pub const OF_SECRET: &str = "secret";

    /// A key with these bytes.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) for fewer than [`MIN_BYTES`](Self::MIN_BYTES), or one byte repeated, and for a name
    /// other than 1 to 32 letters, digits, `.`, `-` and `_`.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let bytes = Zeroizing::new(bytes.into());
        let name = checked_name(name)?;
        Ok(Self {
            material: Material::Plain(checked_bytes(&name, &bytes)?),
            name,
        })
    }

    /// A key that the key provider unwraps when the cache is opened, and when the ring is replaced.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) where there is nothing to unwrap, or more than 8 KiB; for a bad name, as
    /// [`new`](Self::new).
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

    /// The key that is derived from the secret.
    pub fn of_secret() -> Self {
        Self {
            name: Self::OF_SECRET.to_owned(),
            material: Material::OfSecret,
        }
    }

    /// What the ring calls it.
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

/// The bytes of the key `name`, if they can be one.
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

/// A name is short enough that no key passes for one.
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
