use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::format::KeyId;
use crate::TicketSecret;

/// A key of the ring, and its use.
pub(crate) struct Key {
    id: KeyId,
    name: String,
    /// The hash of the wrapped key that it was unwrapped from, so that the same key is not unwrapped twice.
    wrapping: Option<[u8; 32]>,
    /// Seals tickets, started sign-ins and background sessions, without a ticket secret.
    texts: XChaCha20Poly1305,
    /// One half of the key material of entries. The other half is the session's ticket secret.
    entries: Zeroizing<[u8; 32]>,
    made: Instant,
    opened: AtomicU64,
    /// Milliseconds from `made` to the last use.
    last_opened: AtomicU64,
}

impl Key {
    /// Derives all uses of a key from at least 32 bytes (HKDF-SHA-256, RFC 5869).
    pub(crate) fn derive(name: impl Into<String>, material: &[u8]) -> Self {
        let material = Hkdf::<Sha256>::new(None, material);
        let texts: Zeroizing<[u8; 32]> = expand(&material, b"token-cache ring key 1");
        Self {
            id: *expand(&material, b"token-cache ring id 1"),
            name: name.into(),
            wrapping: None,
            texts: XChaCha20Poly1305::new((&*texts).into()),
            entries: expand(&material, b"token-cache entry key 1"),
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

    pub(super) fn texts(&self) -> &XChaCha20Poly1305 {
        &self.texts
    }

    /// Returns the cipher of a session's entries. Decrypting needs both this key and the ticket secret.
    pub(super) fn of_session(&self, ticket_secret: &TicketSecret) -> XChaCha20Poly1305 {
        let halves = Hkdf::<Sha256>::new(Some(self.entries.as_slice()), ticket_secret.expose());
        let key: Zeroizing<[u8; 32]> = expand(&halves, b"token-cache session key 1");
        XChaCha20Poly1305::new((&*key).into())
    }

    /// Returns the cipher of the ticket secret of a session that belongs to an assertion. Decrypting needs both this key and the assertion.
    pub(super) fn of_assertion(&self, assertion: &[u8]) -> XChaCha20Poly1305 {
        let halves = Hkdf::<Sha256>::new(Some(self.entries.as_slice()), assertion);
        let key: Zeroizing<[u8; 32]> = expand(&halves, b"token-cache assertion key 1");
        XChaCha20Poly1305::new((&*key).into())
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

fn expand<const N: usize>(from: &Hkdf<Sha256>, label: &[u8]) -> Zeroizing<[u8; N]> {
    let mut key = Zeroizing::new([0; N]);
    #[expect(
        clippy::expect_used,
        reason = "HKDF-SHA-256 gives up to 8,160 bytes; N is 32 at most"
    )]
    from.expand(label, key.as_mut())
        .expect("an HKDF output of 32 bytes");
    key
}
