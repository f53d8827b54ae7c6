use std::time::Duration;

use super::{
    Inner, TokenCache,
    namespace::{changed_meanwhile, secret_mismatch},
};
use crate::{
    Error, Invalidation, NamespaceRecord, NearCacheOutcome, Result, ServerId, SignOut, Wait,
    near_cache::NearCacheStats, protocol::StoreSignOut, types::namespace::MAX_NEAR_CACHE_LIFE,
};

impl TokenCache {
    /// Returns the size of this app server's near cache and the time until its lease ends. Returns `None` if its near cache is off. Does no
    /// I/O.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
    /// # use token_cache::{MemoryStore, Secret, TokenCache, near_cache::NearCacheConfig};
    /// let cache = TokenCache::builder(MemoryStore::new())
    ///     .secret(Secret::random()?)
    ///     .near_cache(NearCacheConfig::new())
    ///     .open()
    ///     .await?;
    /// let stats = cache.near_cache().expect("the near cache is on");
    /// assert_eq!(stats.size.items, 0);
    /// # Ok(()) }
    /// ```
    pub fn near_cache(&self) -> Option<NearCacheStats> {
        self.0.path.near_cache().stats()
    }

    /// Returns the id of this app server in its fleet. It is random, and new each time a cache is opened. Does no I/O.
    ///
    /// A sign-out names servers by this id, in [`NearCacheOutcome::Cleared`]. Log the id when the app starts, to find the machine that a
    /// sign-out waited for.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
    /// # let cache = token_cache::TokenCache::in_memory().await?;
    /// println!("this server is {} to the others", cache.server_id());
    /// # Ok(()) }
    /// ```
    pub fn server_id(&self) -> ServerId {
        self.0.server
    }

    /// Returns the longest time for which any app server of the fleet may serve near-cache entries without receiving invalidation messages.
    /// A sign-out waits for near caches for at most this time, plus 2% of it and 5 ms.
    ///
    /// The time is the longest lease that any server is configured with or, if the store has no [`Backplane`](crate::Backplane), the
    /// longest maximum age. It is zero if no server has a near cache.
    ///
    /// The time is stored in the [`NamespaceRecord`], which each server reads every second. The returned value can therefore be a few
    /// seconds old. Does no I/O.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the namespace in the store now belongs to another secret than this cache's.
    pub fn longest_near_cache_life(&self) -> Result<Duration> {
        Ok(self.keys()?.longest_near_cache_life)
    }

    /// Sets the time of [`longest_near_cache_life`](Self::longest_near_cache_life) to `longest` in the store, for all servers. An operator
    /// calls it to lower that time, so that sign-outs wait for a shorter time. Pass zero if no server has a near cache any more.
    ///
    /// A server that starts raises the time if its own near-cache entries live longer, and never lowers it. Lower the time **after every
    /// server is configured with less**. A server whose near-cache entries live longer raises it again within a second.
    ///
    /// For about three seconds plus the previous time, sign-outs still wait as long as before, in case a server with longer-lived entries
    /// exists.
    ///
    /// # Errors
    /// - [`Misuse`](crate::ErrorKind::Misuse) if this server's own near-cache entries live longer than `longest`, or if `longest` is over
    ///   60 seconds.
    /// - [`Config`](crate::ErrorKind::Config) if the namespace in the store now belongs to another secret than this cache's.
    /// - [`Unavailable`](crate::ErrorKind::Unavailable) if another server changed the [`NamespaceRecord`] at the same time. Call it again.
    /// - The errors of the store.
    pub async fn set_longest_near_cache_life(&self, longest: Duration) -> Result<()> {
        const OPERATION: &str = "set the longest life of near-cache entries";
        let (store, Inner { secret, state, .. }) = (self.store(), &*self.0);
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
        state.refresh(store, secret).await
    }

    /// Releases this app server's near-cache lease, which is its right to serve near-cache entries. Call it in an orderly shutdown, so that
    /// no sign-out waits for this server any more. Without a near cache, it releases nothing.
    ///
    /// Afterwards, this server serves no near-cache entries, until the app opens a new cache. All other operations continue. If a server
    /// stops without this call, or cannot reach the store during it, the next sign-out waits once until the server's lease has expired.
    ///
    /// If the store has no [`Backplane`](crate::Backplane), there is no lease: sign-outs wait for the maximum age of near-cache entries as
    /// before.
    pub async fn release_lease(&self) {
        self.0
            .state
            .fleet_config()
            .send_modify(|config| config.leaving = true);
        self.0.path.near_cache().left().await;
    }

    /// Waits, as `wait` says, until no server can serve a near-cache entry of what has ended.
    ///
    /// The longest life is read after the evictions: a server that turns its near cache on in between serves nothing from it
    /// before every server knows of it.
    ///
    /// After an error of the store, it is unknown in which accounts sessions ended. This server then drops all its near-cache entries.
    pub(super) async fn clear(
        &self,
        ended: Result<StoreSignOut>,
        before: Duration,
        wait: Wait,
    ) -> Result<SignOut> {
        let ended = ended.inspect_err(|_| self.path().forget(&Invalidation::Everything))?;
        let near_caches = self.clear_near_caches(&ended, before, wait);
        // The sessions have ended in the store already, so the error concerns only near caches.
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
        self.0.path.forget(&ended.invalidation());
        let longest = self.fresh_keys().await?.longest_near_cache_life.max(before);
        // Without a backplane there is no registry that could have been lost together with the index.
        let unknown_sid = ended.unknown_sid && self.store().backplane().is_some();
        let reached = !ended.evicted.is_empty() || ended.unnamed || unknown_sid;
        if longest.is_zero() || !reached {
            return Ok(NearCacheOutcome::Unused);
        }
        self.0.path.near_cache().clear(ended, longest, wait).await
    }
}
