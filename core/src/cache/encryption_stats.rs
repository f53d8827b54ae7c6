use super::TokenCache;
use crate::{EncryptionStats, KeyRing, Result, telemetry};

impl TokenCache {
    /// What this server opened, and could not open, since it opened the cache; and how long each key of the ring has been idle.
    /// Does no I/O.
    pub fn encryption_stats(&self) -> EncryptionStats {
        self.0.ring.figures()
    }

    /// Replaces the keys that seal and open, while the cache is at work. Wrapped keys that are new are unwrapped first; a ring
    /// that is refused changes nothing.
    ///
    /// To rotate without one server meeting a key that it lacks:
    /// 1. give **every** server a ring in which the new key is an open-only one;
    /// 2. then give every server one in which it seals, and the old key is an open-only one;
    /// 3. entries move to the new key when they are next written, tickets when they are next issued, background sessions with their next
    ///    session. When [`encryption_stats`](Self::encryption_stats) shows the old key idle, on every server, for longer than the longest session
    ///    lives, give every server a ring without it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
    /// # use token_cache_core::{KeyRing, RingKey, TokenCache};
    /// # let cache = TokenCache::in_memory().await?;
    /// # let bytes = *b"32 bytes from `openssl rand 32`!";
    /// let new = RingKey::new("2026-11", bytes)?;
    /// cache.replace_key_ring(&KeyRing::sealing_with(RingKey::of_secret()).opening(new.clone())).await?;
    /// // … and once every server has that:
    /// cache.replace_key_ring(&KeyRing::sealing_with(new).opening(RingKey::of_secret())).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) for too many keys, one that is there twice, and a wrapped one where no key provider
    /// is set; the provider's own.
    pub async fn replace_key_ring(&self, ring: &KeyRing) -> Result<()> {
        let inner = &self.0;
        let at_work = inner.ring.keys();
        let keys = ring
            .unwrap(&inner.secret, inner.key_provider.as_deref(), Some(&at_work))
            .await?;
        for diagnostic in &keys.diagnostics {
            diagnostic.log();
        }
        inner.ring.replace(keys);
        telemetry::keys_idle(|| self.encryption_stats());
        Ok(())
    }
}
