use super::TokenCache;
use crate::{EncryptionStats, KeyRing, Result, telemetry};

impl TokenCache {
    /// Returns how this app server has used the keys of its key ring: how often it decrypted with each key, and how long ago the last time
    /// was. Also returns how many reads of entries could not be decrypted. Does no I/O.
    ///
    /// An operator uses it to find out when an old key can be removed. The counts of a key start when this server opens the cache, or gets
    /// the key by [`replace_key_ring`](Self::replace_key_ring). They do not include other servers.
    pub fn encryption_stats(&self) -> EncryptionStats {
        self.0.ring.figures()
    }

    /// Replaces the keys that this app server encrypts and decrypts with, while the cache is in use. Other app servers are not affected.
    ///
    /// `ring` is the new key ring. If it has wrapped keys, which a key management service has encrypted, the [key
    /// provider](crate::TokenCacheBuilder::key_provider) decrypts the new ones first. If the method returns an error, the app server
    /// continues to use its present key ring.
    ///
    /// To replace a key so that every app server can always decrypt everything:
    /// 1. Give **every** app server a ring in which the new key only decrypts ([`KeyRing::opening`]).
    /// 2. When all of them have that ring, give every app server a ring that encrypts with the new key, and in which the old key only
    ///    decrypts.
    /// 3. When all of them have that ring, wait for longer than the longest lifetime of a session. Also wait until
    ///    [`encryption_stats`](Self::encryption_stats) shows on every app server that the old key has been idle for that long.
    /// 4. Give every app server a ring without the old key.
    ///
    /// After step 2, only new data is encrypted with the new key:
    /// - An entry, when it is written again.
    /// - A ticket, when [`Session::ticket`](crate::Session::ticket) is called again.
    /// - A background session is never encrypted again. It needs the old key until its session ends. A later sign-in uses the new key.
    ///
    /// If the old key is removed too early, a read of data that it encrypted fails with [`KeyMissing`](crate::ErrorKind::KeyMissing).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
    /// # use token_cache::{TokenCache, keys::{KeyRing, RingKey}};
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
    /// - [`Config`](crate::ErrorKind::Config) if the ring has more than 16 keys or the same key twice, or if it has a wrapped key and no
    ///   key provider is set.
    /// - [`TimedOut`](crate::ErrorKind::TimedOut) if the key provider takes longer than ten seconds for one of the keys.
    /// - The errors of the key provider.
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
        telemetry::keys_idle(|| self.0.ring.idle_keys());
        Ok(())
    }
}
