use std::fmt;

use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{Error, Result, crypto::id_key::IdKey, types::entropy};

/// The secret of a namespace: at least 32 bytes, the same on every app server. It is the only required setting of a cache.
///
/// A namespace is all that one fleet of app servers stores under one prefix. Pass the secret to
/// [`TokenCacheBuilder::secret`](crate::TokenCacheBuilder::secret), or set the environment variable `TOKEN_CACHE_SECRET`.
///
/// Two keys are derived from the secret (HKDF-SHA-256, RFC 5869). The first computes the keyed hashes by which a store knows accounts,
/// `sid`s and entries. The second is the key named `secret` of the [`KeyRing`](crate::KeyRing). It encrypts everything if no other key is
/// configured.
///
/// The secret of a namespace cannot be replaced, unlike the keys of the key ring: with another secret, no app server would find the stored
/// data. Opening a cache with another secret fails with [`Config`](crate::ErrorKind::Config).
///
/// ```
/// use token_cache::Secret;
///
/// assert!(Secret::new(*b"0123456789abcdef0123456789abcdef").is_ok());
/// assert!(Secret::new(*b"too short").is_err());
/// ```
#[derive(Clone)]
pub struct Secret(SecretSlice<u8>);

impl Secret {
    /// The name of the environment variable that [`Secret::from_env`] reads: `TOKEN_CACHE_SECRET`.
    pub const VARIABLE: &str = "TOKEN_CACHE_SECRET";

    /// The least length of a secret, in bytes: 32. [`new`](Self::new) refuses a shorter secret with [`Config`](crate::ErrorKind::Config).
    pub const MIN_BYTES: usize = 32;

    /// Creates the secret from these bytes. They are used as they are: base64 text is not decoded.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if there are fewer than [`MIN_BYTES`](Self::MIN_BYTES) bytes, or if all bytes are equal.
    /// Nothing else is checked: pass random bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.len() < Self::MIN_BYTES {
            return Err(refused(format!(
                "the secret has {} bytes and needs at least {}; make one with `openssl rand -base64 32`",
                bytes.len(),
                Self::MIN_BYTES,
            )));
        }
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(refused(
                "the secret repeats one byte; make one with `openssl rand -base64 32`",
            ));
        }
        Ok(Self(bytes.to_vec().into()))
    }

    /// Creates the secret from the environment variable `TOKEN_CACHE_SECRET`. The bytes of its text are the secret: base64 text is not
    /// decoded.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the variable is not set, has fewer than 32 bytes, or repeats one byte.
    pub fn from_env() -> Result<Self> {
        match std::env::var_os(Self::VARIABLE) {
            Some(text) => Self::new(text.into_encoded_bytes()),
            None => Err(refused(
                "the variable TOKEN_CACHE_SECRET is not set; set it to at least 32 bytes, the same on every server",
            )),
        }
    }

    /// Creates a random secret of 32 bytes, for a store that no other process can reach, such as the memory store.
    ///
    /// Each call creates another secret. Data that was stored with one of them cannot be read with another. On a store that has a
    /// namespace's record already, opening a cache with another secret fails with [`Config`](crate::ErrorKind::Config).
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn random() -> Result<Self> {
        Ok(Self(entropy::random::<32>()?.to_vec().into()))
    }

    pub(crate) fn id_key(&self, generation: u64) -> IdKey {
        let mut label = *b"token-cache id key 1 \0\0\0\0\0\0\0\0";
        let at = label.len() - 8;
        label[at..].copy_from_slice(&generation.to_be_bytes());
        IdKey::new(&self.derive::<32>(&label))
    }

    pub(crate) fn check(&self) -> [u8; 16] {
        *self.derive(b"token-cache id key check 1")
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    fn derive<const N: usize>(&self, label: &[u8]) -> Zeroizing<[u8; N]> {
        let mut key = Zeroizing::new([0; N]);
        #[expect(
            clippy::expect_used,
            reason = "HKDF-SHA-256 gives up to 8,160 bytes; N is 32 at most"
        )]
        Hkdf::<Sha256>::new(None, self.0.expose_secret())
            .expand(label, key.as_mut())
            .expect("an HKDF output of 32 bytes");
        key
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

fn refused(message: impl Into<String>) -> Error {
    Error::config("take the secret", message)
}
