use std::time::Duration;

use super::{
    Inner, TokenCache,
    namespace::{changed_meanwhile, secret_mismatch},
};
use crate::{
    CopiesGone, Error, NamespaceRecord, Result, ServerId, SignOut, Wait, local::KeptCopies,
    namespace::MAX_COPY_LIFE, protocol::Ended,
};

impl TokenCache {
    /// What this server keeps copies of, and for how long it may serve them; none where it keeps none. Does no I/O.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
    /// # use token_cache_core::{MemoryStore, Secret, TokenCache, local::CopyPolicy};
    /// let cache = TokenCache::builder(MemoryStore::new())
    ///     .secret(Secret::random()?)
    ///     .local_copies(CopyPolicy::new())
    ///     .open()
    ///     .await?;
    /// let kept = cache.local_copies().expect("they are kept");
    /// assert_eq!(kept.figures.copies, 0);
    /// # Ok(()) }
    /// ```
    pub fn local_copies(&self) -> Option<KeptCopies> {
        self.0.copies.as_ref().map(|copies| copies.kept())
    }

    /// Who this server is to the others of its fleet, as [`CopiesGone::Gone`] names them: random, new each time a cache is opened. Log it at
    /// the start, and a sign-out that waited for a server tells which machine that was. Does no I/O.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
    /// # let cache = token_cache_core::TokenCache::in_memory().await?;
    /// println!("this server is {} to the others", cache.server_id());
    /// # Ok(()) }
    /// ```
    pub fn server_id(&self) -> ServerId {
        self.0.member.server()
    }

    /// How long a server that hears nothing of a sign-out may serve local copies, as the namespace's record says, or said until
    /// seconds ago: the longest lease of all servers or, where the store has no [`Link`](crate::Link), the greatest age. A sign-out waits for so long at the
    /// most, and a fiftieth of it. Zero where no server keeps copies. Does no I/O: it is read every second.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) where the namespace has another secret by now.
    pub fn longest_copy_life(&self) -> Result<Duration> {
        Ok(self.keys()?.longest_copy_life)
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
    pub async fn set_longest_copy_life(&self, longest: Duration) -> Result<()> {
        const OPERATION: &str = "set the longest life of a copy";
        let Inner {
            store,
            secret,
            state,
            ..
        } = &*self.0;
        let own = state.copy_life();
        if longest < own {
            return Err(Error::misuse(
                OPERATION,
                format!(
                    "this server's own copies live {own:?}; have it keep them for less long first, or keep none"
                ),
            ));
        }
        if longest > MAX_COPY_LIFE {
            return Err(Error::misuse(
                OPERATION,
                format!("the longest life of a copy is at most {MAX_COPY_LIFE:?}"),
            ));
        }
        let keys = self.fresh_keys().await?;
        let read = store.namespace().await?.record;
        let record = read
            .unwrap_or(NamespaceRecord::new(keys.generation, secret.check()))
            .with_copies(longest);
        if record.check != secret.check() {
            return Err(secret_mismatch());
        }
        if !store.set_namespace(read.as_ref(), &record).await? {
            return Err(changed_meanwhile(OPERATION));
        }
        state.refresh(&**store, secret).await
    }

    /// Gives this server's lease up, for an orderly shutdown: it serves no local copies any more, and no sign-out waits for it.
    /// All else goes on as before. A server that is stopped without it costs the fleet's next sign-out a lease, once.
    pub async fn release_lease(&self) {
        self.0
            .state
            .terms()
            .send_modify(|terms| terms.leaving = true);
        self.0.member.left().await;
    }

    /// Waits, as `wait` says, until no server can serve a local copy of what has ended.
    ///
    /// Whether any server keeps copies is looked at after the evictions: one that came to keep them in between serves none before
    /// every server knows of it.
    pub(super) async fn clear(
        &self,
        ended: Ended,
        before: Duration,
        wait: Wait,
    ) -> Result<SignOut> {
        let copies = self.copies_gone(&ended, before, wait);
        // The sessions have ended: an error is of the copies alone.
        let copies = copies.await.map_err(Error::maybe_applied)?;
        Ok(SignOut {
            copies,
            ..ended.sign_out
        })
    }

    pub(super) async fn copies_gone(
        &self,
        ended: &Ended,
        before: Duration,
        wait: Wait,
    ) -> Result<CopiesGone> {
        let longest = self.fresh_keys().await?.longest_copy_life.max(before);
        // A store without a link has no registry that could have been lost with its index.
        let unknown_sid = ended.unknown_sid && self.store().link().is_some();
        let reached = !ended.evicted.is_empty() || ended.unnamed || unknown_sid;
        if longest.is_zero() || !reached {
            return Ok(CopiesGone::NoneKept);
        }
        self.0.member.clear(ended, longest, wait).await
    }
}
