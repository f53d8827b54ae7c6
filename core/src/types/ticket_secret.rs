use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Result, types::entropy, util::hash_name::hash_name};

/// The secret of a session: 128 random bits, created at sign-in. Decrypting the session's entries needs it. Apps do not use this type.
///
/// Only the session's [`Ticket`](crate::Ticket) contains it, and, encrypted, its [background session](crate::BackgroundSession) if it has
/// one. A store receives only its hash, the [`SessionId`].
#[derive(Clone, PartialEq, Eq)]
pub struct TicketSecret(Zeroizing<[u8; 16]>);

impl TicketSecret {
    /// Creates a new ticket secret from random bytes of the operating system. [`TokenCache::sign_in`](crate::TokenCache::sign_in) calls it
    /// for each session that it begins.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system returns no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }

    /// Returns the id of the session that has this secret: the first 128 bits of SHA-256 over a constant prefix and the secret.
    pub fn session_id(&self) -> SessionId {
        let mut hash = Sha256::new();
        hash.update(b"token-cache epoch 1");
        hash.update(self.0.as_slice());
        let full = hash.finalize();
        let mut half = [0; 16];
        half.copy_from_slice(&full[..16]);
        SessionId::from_bytes(half)
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for TicketSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketSecret([redacted])")
    }
}

hash_name! {
    /// The id of a session: the hash of its ticket secret. A store names the session by it. It is not the provider's `sid`.
    ///
    /// It is public: it helps to decrypt nothing, so a list of sessions may show it.
    SessionId
}
