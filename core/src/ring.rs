use std::fmt;

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Result, entropy};

const VERSION: u8 = 1;
const NONCE: usize = 24;
const HEADER: usize = 1 + 4 + NONCE;

/// Seals what leaves for a browser or a job's database: XChaCha20-Poly1305 under a key from the secret.
///
/// Sealed bytes: format version (1), key id (4), nonce (24), ciphertext and tag. The format, the key id and `purpose` are
/// authenticated, so that a ticket can't pass for anything else that is sealed.
#[derive(Clone)]
pub(crate) struct Ring {
    cipher: XChaCha20Poly1305,
    id: [u8; 4],
}

impl Ring {
    pub(crate) fn new(key: &[u8; 32], id: [u8; 4]) -> Self {
        Self {
            cipher: XChaCha20Poly1305::new(key.into()),
            id,
        }
    }

    pub(crate) fn seal(&self, purpose: &'static str, plain: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE] = entropy::random()?;
        let mut sealed = Vec::with_capacity(HEADER + plain.len() + 16);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id);
        sealed.extend_from_slice(&nonce);
        let aad = [&sealed[..5], purpose.as_bytes()].concat();
        let body = self
            .cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: &aad,
                },
            )
            .map_err(|_| Error::new(ErrorKind::Unexpected, "seal"))?;
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens what [`seal`](Self::seal) made for the same purpose.
    pub(crate) fn open(&self, purpose: &'static str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let corrupt = |message: &str| {
            Error::new(ErrorKind::Corrupt, "open a sealed value").message(format!(
                "the {purpose} {message}; have the user sign in again"
            ))
        };
        let Some((header, body)) = sealed.split_at_checked(HEADER) else {
            return Err(corrupt("is cut short"));
        };
        if header[0] != VERSION {
            return Err(corrupt(&format!(
                "has format version {}, and this release reads {VERSION}",
                header[0]
            )));
        }
        if header[1..5] != self.id {
            return Err(Error::new(ErrorKind::KeyMissing, "open a sealed value").message(format!(
                "the {purpose} was sealed under another secret; give every server the same TOKEN_CACHE_SECRET"
            )));
        }
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&header[5..]);
        let aad = [&header[..5], purpose.as_bytes()].concat();
        self.cipher
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: body,
                    aad: &aad,
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| corrupt("was changed or cut short"))
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ring([redacted])")
    }
}
