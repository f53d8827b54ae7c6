use std::time::Duration;

use super::{
    Inner, TokenCache,
    namespace::{changed_meanwhile, secret_mismatch},
};
use crate::{
    Error, NamespaceRecord, NearCacheOutcome, Result, ServerId, SignOut, Wait,
    namespace::MAX_NEAR_CACHE_LIFE, near_cache::NearCacheStats, protocol::StoreSignOut,
};

impl TokenCache {
    /// What this server keeps copies of, and for how long it may serve them; none where it keeps none. Does no I/O.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
    /// # use token_cache_core::{MemoryStore, Secret, TokenCache, near_cache::CopyPolicy};
    /// let cache = TokenCache::builder(MemoryStore::new())
    ///     .secret(Secret::random()?)
    ///     .near_cache(CopyPolicy::new())
    ///     .open()
    ///     .await?;
    /// let stats = cache.near_cache().expect("they are stats");
    /// assert_eq!(stats.size.items, 0);
    /// # Ok(()) }
    /// ```
    pub fn near_cache(&self) -> Option<NearCacheStats> {
        self.0
            .near_cache
            .as_ref()
            .map(|near_cache| near_cache.stats())
    }

    /// Who this server is to the others of its fleet, as [`NearCacheOutcome::Cleared`] names them: random, new each time a cache is opened. Log it at
    /// the start, and a sign-out that waited for a server tells which machine that was. Does no I/O.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
    /// # let cache = token_cache_core::TokenCache::in_memory().await?;
    /// println!("this server is {} to the others", cache.server_id());
    /// # Ok(()) }
    /// ```
    pub fn server_id(&self) -> ServerId {
        self.0.coordinator.server()
    }

    /// How long a server that hears nothing of a sign-out may serve near caches, as the namespace's record says, or said until
    /// seconds ago: the longest lease of all servers or, where the store has no [`Backplane`](crate::Backplane), the greatest age. A sign-out waits for so long at the
    /// most, and a fiftieth of it. Zero where no server keeps copies. Does no I/O: it is read every second.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) where the namespace has another secret by now.
    pub fn longest_near_cache_life(&self) -> Result<Duration> {
        Ok(self.keys()?.longest_near_cache_life)
    }

    /// Says in the namespace's record that no copy of any server lives longer than this: zero where none keeps any.
    ///
    /// Servers raise it by themselves when they start, and never lower it: that is for an operator, **once every server is set to
    /// less**. One that still keeps copies for longer raises it again within a second. Sign-outs go on waiting as before for three
    /// seconds and the longest life until now, in which such a server is heard of.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if this server itself keeps copies for longer, or `longest` is over 60 s;
    /// [`Unavailable`](crate::ErrorKind::Unavailable) where another server changed the record at the same moment; the store's
    /// own failures.
    pub async fn set_longest_near_cache_life(&self, longest: Duration) -> Result<()> {
        const OPERATION: &str = "set the longest life of a copy";
        let Inner {
            store,
            secret,
            state,
            ..
        } = &*self.0;
        let own = state.near_cache_life();
        if longest < own {
            return Err(Error::misuse(
                OPERATION,
                format!(
                    "the near cache of this server keeps entries for {own:?}; first shorten that, or turn the near cache off"
                ),
            ));
        }
        if longest > MAX_NEAR_CACHE_LIFE {
            return Err(Error::misuse(
                OPERATION,
                format!(
                    "the lifetime of entries in a near cache must be at most {MAX_NEAR_CACHE_LIFE:?}"
                ),
            ));
        }
        let keys = self.fresh_keys().await?;
        let read = store.namespace().await?.record;
        let record = read
            .unwrap_or(NamespaceRecord::new(keys.generation, secret.check()))
            .with_near_cache(longest);
        if record.check != secret.check() {
            return Err(secret_mismatch());
        }
        if !store.set_namespace(read.as_ref(), &record).await? {
            return Err(changed_meanwhile(OPERATION));
        }
        state.refresh(&**store, secret).await
    }

    /// Gives this server's lease up, for an orderly shutdown: it serves no near caches any more, and no sign-out waits for it.
    /// All else goes on as before. A server that is stopped without it costs the fleet's next sign-out a lease, once.
    pub async fn release_lease(&self) {
        self.0
            .state
            .fleet_config()
            .send_modify(|config| config.leaving = true);
        self.0.coordinator.left().await;
    }

    /// Waits, as `wait` says, until no server can serve a near-cache entry of what has ended.
    ///
    /// Whether any server keeps copies is looked at after the evictions: one that came to keep them in between serves none before
    /// every server knows of it.
    pub(super) async fn clear(
        &self,
        ended: StoreSignOut,
        before: Duration,
        wait: Wait,
    ) -> Result<SignOut> {
        let near_caches = self.clear_near_caches(&ended, before, wait);
        // The sessions have ended: an error is of the copies alone.
        let near_caches = near_caches.await.map_err(Error::maybe_applied)?;
        Ok(SignOut {
            near_caches,
            ..ended.sign_out
        })
    }

    pub(super) async fn clear_near_caches(
        &self,
        ended: &StoreSignOut,
        before: Duration,
        wait: Wait,
    ) -> Result<NearCacheOutcome> {
        let longest = self.fresh_keys().await?.longest_near_cache_life.max(before);
        // A store without a backplane has no registry that could have been lost with its index.
        let unknown_sid = ended.unknown_sid && self.store().backplane().is_some();
        let reached = !ended.evicted.is_empty() || ended.unnamed || unknown_sid;
        if longest.is_zero() || !reached {
            return Ok(NearCacheOutcome::Unused);
        }
        self.0.coordinator.clear(ended, longest, wait).await
    }
}
