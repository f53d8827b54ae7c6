use super::TokenCache;
use crate::{EncryptionStats, KeyRing, Result, telemetry};

impl TokenCache {
    /// Returns how often this app server decrypted with each key of the ring, how long each key has been idle, and how many reads could not
    /// be decrypted. An operator uses it to find out when an old key can be removed. Does no I/O.
    ///
    /// The counts start when this server opens the cache, or gets the key.
    pub fn encryption_stats(&self) -> EncryptionStats {
        self.0.ring.figures()
    }

    /// Replaces the keys that this app server encrypts and decrypts with, while the cache is in use. Other app servers are not affected.
    /// New wrapped keys are unwrapped first. A ring that is refused changes nothing.
    ///
    /// To rotate keys so that every app server always has the keys that it needs:
    /// 1. Give **every** app server a ring with the new key as one that only decrypts ([`KeyRing::opening`]).
    /// 2. When all of them have it, give every app server a ring that encrypts with the new key and only decrypts with the old one.
    /// 3. When all of them have that ring, wait for longer than the longest lifetime of a session. Also wait until
    ///    [`encryption_stats`](Self::encryption_stats) shows on every app server that the old key has been idle for that long.
    /// 4. Give every app server a ring without the old key.
    ///
    /// After step 2, only new data is encrypted with the new key:
    /// - An entry, when it is written again.
    /// - A ticket, when [`Session::ticket`](crate::Session::ticket) is called again.
    /// - A background session is never encrypted again. It needs the old key until its session ends. A later sign-in uses the new key.
    ///
    /// If the old key is removed too early, reading what it encrypted fails with [`KeyMissing`](crate::ErrorKind::KeyMissing).
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
