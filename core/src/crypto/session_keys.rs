use std::{fmt, sync::OnceLock};

use super::{Key, cipher::Cipher, format::KeyId};
use crate::TicketSecret;

/// A session's ticket secret, and the cipher of its entries. The cipher is derived once for all reads and writes of a session handle.
pub(crate) struct SessionKeys {
    ticket_secret: TicketSecret,
    derived: OnceLock<(KeyId, Cipher)>,
}

impl SessionKeys {
    pub(crate) const fn new(ticket_secret: TicketSecret) -> Self {
        Self {
            ticket_secret,
            derived: OnceLock::new(),
        }
    }

    #[cfg(test)]
    #[cfg(target_os = "linux")]
    pub(super) fn ticket_secret(&self) -> &[u8; 16] {
        self.ticket_secret.expose()
    }

    /// Calls `work` with the session's cipher under a key of the ring. Only the cipher of the first key is remembered, since a handle uses
    /// a second key only while the ring rotates.
    pub(super) fn with<T>(&self, key: &Key, work: impl FnOnce(&Cipher) -> T) -> T {
        let (kept, cipher) = self
            .derived
            .get_or_init(|| (key.id(), key.of_session(&self.ticket_secret)));
        if *kept == key.id() {
            work(cipher)
        } else {
            work(&key.of_session(&self.ticket_secret))
        }
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKeys([redacted])")
    }
}
