use std::fmt;

use async_trait::async_trait;

use super::Sealer;
use crate::{
    AccountKey, AcquireOptions, Acquired, BackgroundSessions, Backplane, BeginSession, Begun,
    Capabilities, Diagnostic, Entry, EntryAddress, Error, ErrorKind, EvictOptions, EvictTarget,
    Evicted, LockOwner, Namespace, NamespaceRecord, PutResult, ReadOptions, RefreshLocks, Result,
    SessionId, SessionRecord, SidIndex, TimeSource, TokenStore, Version, WriteOptions,
};

/// The choice of what a read returns if the entry cannot be decrypted, because its key is missing or its bytes were changed: an error or
/// `None`.
///
/// The app passes it to [`TokenCacheBuilder::unreadable_entries`](crate::TokenCacheBuilder::unreadable_entries). The default is
/// [`Error`](Self::Error). With either setting, [`TokenCache::encryption_stats`](crate::TokenCache::encryption_stats) counts such reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnreadableEntries {
    /// The read fails with [`KeyMissing`](crate::ErrorKind::KeyMissing) or [`Corrupt`](crate::ErrorKind::Corrupt). An app server that lacks
    /// a new key then fails visibly, and no user has to sign in again.
    #[default]
    Error,
    /// The read returns `None`, as for a missing entry. Use it if a key is lost forever, so that users can sign in again.
    Miss,
}

/// A store around another store that encrypts the values of entries. The inner store never receives the values in clear text (G5).
///
/// A [`TokenCache`](crate::TokenCache) wraps every store in one, so apps do not create it. It is for tools and tests that use a store
/// without a cache.
///
/// Only [`write`](TokenStore::write), [`read`](TokenStore::read) and [`acquire`](RefreshLocks::acquire) need a key. The value of a written
/// entry can have [`Sealer::OVERHEAD`] bytes fewer than the inner store takes: a larger one is refused with
/// [`TooLarge`](crate::ErrorKind::TooLarge). All other calls are forwarded to the inner store. Sign-outs therefore work even if the key
/// ring has lost every key.
#[derive(Debug, Clone)]
pub struct SealedStore<S> {
    inner: S,
    sealer: Sealer,
    unreadable: UnreadableEntries,
}

impl<S: TokenStore> SealedStore<S> {
    /// Creates a store that encrypts the entries of `inner` with `sealer`. Reading an entry that cannot be decrypted is an error:
    /// [`UnreadableEntries::Error`].
    pub const fn new(inner: S, sealer: Sealer) -> Self {
        Self {
            inner,
            sealer,
            unreadable: UnreadableEntries::Error,
        }
    }

    /// Sets what a read of an entry returns that cannot be decrypted.
    pub(crate) const fn unreadable_entries(mut self, entries: UnreadableEntries) -> Self {
        self.unreadable = entries;
        self
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<S: TokenStore> TokenStore for SealedStore<S> {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        capabilities.max_entry_bytes = capabilities
            .max_entry_bytes
            .saturating_sub(Sealer::OVERHEAD);
        capabilities
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.inner.diagnostics()
    }

    async fn namespace(&self) -> Result<Namespace> {
        self.inner.namespace().await
    }

    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        self.inner.set_namespace(expected, record).await
    }

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        self.inner.begin(account, session).await
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        self.inner.session(account, session_id, options).await
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        let Some(sealed) = self.inner.read(at, options).await? else {
            return Ok(None);
        };
        match self.sealer.open(at, sealed) {
            Ok(entry) => Ok(Some(entry)),
            Err(error) if self.unreadable == UnreadableEntries::Miss && is_unreadable(&error) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        let (bytes, limit) = (entry.stored().len(), self.capabilities().max_entry_bytes);
        if bytes > limit {
            return Err(
                Error::new(ErrorKind::TooLarge, "write an entry").message(format!(
                    "the value has {bytes} bytes; store at most {limit} in one encrypted entry"
                )),
            );
        }
        let sealed = self.sealer.seal(at, &entry)?;
        self.inner.write(at, sealed, options).await
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        self.inner.remove(at).await
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        self.inner.evict(account, target, options).await
    }

    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        self.inner.sessions(account, options).await
    }

    fn clock(&self) -> Option<&dyn TimeSource> {
        self.inner.clock()
    }

    fn refresh_locks(&self) -> Option<&dyn RefreshLocks> {
        self.inner.refresh_locks().is_some().then_some(self as _)
    }

    fn sid_index(&self) -> Option<&dyn SidIndex> {
        self.inner.sid_index()
    }

    fn background_sessions(&self) -> Option<&dyn BackgroundSessions> {
        self.inner.background_sessions()
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        self.inner.backplane()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<S: TokenStore> RefreshLocks for SealedStore<S> {
    /// Calls the inner store, and decrypts the entry of [`Acquired::Fresher`]. An entry that cannot be decrypted is always an error,
    /// because a refresh would replace an entry that counts as missing.
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired> {
        match self.locks()?.acquire(at, options).await? {
            Acquired::Fresher(sealed) => self.sealer.open(at, sealed).map(Acquired::Fresher),
            other => Ok(other),
        }
    }

    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()> {
        self.locks()?.release(at, owner).await
    }

    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        self.locks()?.end_if_version(at, version, options).await
    }
}

impl<S: TokenStore> SealedStore<S> {
    fn locks(&self) -> Result<&dyn RefreshLocks> {
        self.inner.refresh_locks().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "use a refresh lock").message(
                "this store has no refresh locks; use a store that has them, such as Redis",
            )
        })
    }
}

impl<S: TokenStore> fmt::Display for SealedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sealed({})", self.inner)
    }
}

fn is_unreadable(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::KeyMissing)
}
