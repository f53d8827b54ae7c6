use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Result, entropy, hash_name::hash_name};

/// 128 random bits minted at sign-in: the session's identity and its secret.
///
/// It is derived from nothing and never comes again, so the absence of a session's record is the safe state. Only the
/// session's [`Ticket`](crate::Ticket) carries it; a store sees its [`EpochHash`].
#[derive(Clone, PartialEq, Eq)]
pub struct Epoch(Zeroizing<[u8; 16]>);

impl Epoch {
    /// A new epoch.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) where the operating system gives no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }

    /// The stored form, `H(epoch)`: the first 128 bits of SHA-256 over a label and the epoch.
    pub fn hash(&self) -> EpochHash {
        let mut hash = Sha256::new();
        hash.update(b"token-cache epoch 1");
        hash.update(self.0.as_slice());
        let full = hash.finalize();
        let mut half = [0; 16];
        half.copy_from_slice(&full[..16]);
        EpochHash::from_bytes(half)
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Epoch([redacted])")
    }
}

hash_name! {
    /// `H(epoch)`: what a store calls a session.
    EpochHash
}
