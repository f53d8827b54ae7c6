use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use hkdf::Hkdf;
use sha2::Sha256;

use super::{
    cipher::{Cipher, CipherKey},
    format::KeyId,
};
use crate::TicketSecret;

/// A key of the ring, and its use.
pub(crate) struct Key {
    id: KeyId,
    name: String,
    /// The hash of the wrapped key that it was unwrapped from, so that the same key is not unwrapped twice.
    wrapping: Option<[u8; 32]>,
    /// Seals tickets, started sign-ins and background sessions, without a ticket secret.
    texts: Cipher,
    /// One half of the key material of entries. The other half is the session's ticket secret.
    entries: CipherKey,
    made: Instant,
    opened: AtomicU64,
    /// Milliseconds from `made` to the last use.
    last_opened: AtomicU64,
}

impl Key {
    /// Derives all uses of a key from at least 32 bytes (HKDF-SHA-256, RFC 5869).
    pub(crate) fn derive(name: impl Into<String>, material: &[u8]) -> Self {
        let material = Hkdf::<Sha256>::new(None, material);
        let mut id = KeyId::default();
        expand(&material, b"token-cache ring id 1", &mut id);
        let key = |label: &[u8]| CipherKey::filled(|key| expand(&material, label, key));
        Self {
            id,
            name: name.into(),
            wrapping: None,
            texts: Cipher::new(key(b"token-cache ring key 1")),
            entries: key(b"token-cache entry key 1"),
            made: Instant::now(),
            opened: AtomicU64::new(0),
            last_opened: AtomicU64::new(0),
        }
    }

    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sets the hash of the wrapped key that it was unwrapped from.
    pub(super) fn wrapped_as(mut self, wrapping: [u8; 32]) -> Self {
        self.wrapping = Some(wrapping);
        self
    }

    pub(super) fn wrapping(&self) -> Option<&[u8; 32]> {
        self.wrapping.as_ref()
    }

    pub(super) fn texts(&self) -> &Cipher {
        &self.texts
    }

    /// Returns the cipher of a session's entries. Decrypting needs both this key and the ticket secret.
    pub(super) fn of_session(&self, ticket_secret: &TicketSecret) -> Cipher {
        let halves = Hkdf::<Sha256>::new(Some(self.entries.expose()), ticket_secret.expose());
        Cipher::new(CipherKey::filled(|key| {
            expand(&halves, b"token-cache session key 1", key);
        }))
    }

    /// Returns the cipher of the ticket secret of a session that belongs to an assertion. Decrypting needs both this key and the assertion.
    pub(super) fn of_assertion(&self, assertion: &[u8]) -> Cipher {
        let halves = Hkdf::<Sha256>::new(Some(self.entries.expose()), assertion);
        Cipher::new(CipherKey::filled(|key| {
            expand(&halves, b"token-cache assertion key 1", key);
        }))
    }

    pub(super) fn was_of_use(&self) {
        let since = u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_opened.fetch_max(since, Ordering::Relaxed);
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how many times it opened something.
    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// Returns the time since it last opened something, or since it was created if it never did.
    pub(super) fn idle(&self) -> Duration {
        let last = Duration::from_millis(self.last_opened.load(Ordering::Relaxed));
        self.made.elapsed().saturating_sub(last)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn expand(from: &Hkdf<Sha256>, label: &[u8], key: &mut [u8]) {
    #[expect(
        clippy::expect_used,
        reason = "HKDF-SHA-256 gives up to 8,160 bytes; a key has 32 at most"
    )]
    from.expand(label, key).expect("an HKDF output of 32 bytes");
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::{
        crypto::SessionKeys,
        crypto::id_key::IdKey,
        util::wiped::memory::{bytes_left_after_drop, own_bytes},
    };

    fn key() -> Key {
        Key::derive("k", &[7; 32])
    }

    #[test]
    fn nothing_of_a_key_is_in_memory_after_it_was_dropped() {
        let entries = |key: &Key| key.entries.expose()[16..].as_ptr_range();
        assert_eq!(bytes_left_after_drop(key(), entries), 0);
        let texts = |key: &Key| key.texts.key().expose()[16..].as_ptr_range();
        assert_eq!(bytes_left_after_drop(key(), texts), 0);
    }

    #[test]
    fn nothing_of_a_sessions_keys_is_in_memory_after_they_were_dropped() {
        let session = || SessionKeys::new(TicketSecret::from_bytes([9; 16]));
        let secret = |session: &SessionKeys| session.ticket_secret().as_ptr_range();
        assert_eq!(bytes_left_after_drop(session(), secret), 0);
        let cipher = |session: &SessionKeys| {
            session.with(&key(), |cipher| cipher.key().expose()[16..].as_ptr_range())
        };
        assert_eq!(bytes_left_after_drop(session(), cipher), 0);
    }

    #[test]
    fn nothing_of_the_id_key_is_in_memory_after_it_was_dropped() {
        assert_eq!(bytes_left_after_drop(IdKey::new(&[5; 32]), own_bytes), 0);
    }
}
