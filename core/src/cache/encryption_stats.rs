use super::TokenCache;
use crate::{EncryptionStats, KeyRing, Result, telemetry};

impl TokenCache {
    /// Returns what this server decrypted, and could not decrypt, since it opened the cache, and how long each key of the ring
    /// has been idle. An operator uses it to find out when an old key can be removed. Does no I/O.
    pub fn encryption_stats(&self) -> EncryptionStats {
        self.0.ring.figures()
    }

    /// Replaces the keys that encrypt and decrypt while the cache is in use. It affects only this server. New wrapped keys are unwrapped
    /// first. A ring that is refused changes nothing.
    ///
    /// To rotate keys so that no server meets a key that it lacks:
    /// 1. Give **every** server a ring with the new key as one that only decrypts ([`KeyRing::opening`]).
    /// 2. Then give every server a ring that encrypts with the new key, and has the old key as one that only decrypts.
    /// 3. Entries move to the new key when they are next written, tickets when they are next issued, background sessions with
    ///    their next session. Wait until [`encryption_stats`](Self::encryption_stats) shows the old key idle on every server for
    ///    longer than the longest session lives. Then give every server a ring without the old key.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
    /// # use token_cache_core::{KeyRing, RingKey, TokenCache};
    /// # let cache = TokenCache::in_memory().await?;
    /// # let bytes = *b"32 bytes from `openssl rand 32`!";
    /// let new = RingKey::new("2026-11", bytes)?;
    /// cache.replace_key_ring(&KeyRing::sealing_with(RingKey::of_secret()).opening(new.clone())).await?;
    /// // … and when every server has that ring:
    /// cache.replace_key_ring(&KeyRing::sealing_with(new).opening(RingKey::of_secret())).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the ring has too many keys or the same key twice, or has a wrapped key and no key
    /// provider is set; the errors of the key provider.
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
