use std::{future::Future, pin::Pin, sync::Arc};

use crate::{BackgroundSessions, RefreshLocks, SidIndex, TokenStore};

/// The future of a store's method: a boxed one, as `async_trait` creates it. Code that [`delegate_store!`](crate::delegate_store) writes
/// names it.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Forwards calls of a store wrapper to the store inside. Use it in an `impl` of [`TokenStore`](crate::TokenStore) or of one of its parts, for
/// the methods that the wrapper does not change.
///
/// The first form names the methods. If a later release adds a method to the trait, the wrapper does not compile until it names or
/// implements it. The second form implements whole parts.
///
/// A forwarded call adds no boxed future of its own.
///
/// ```
/// use std::{fmt, sync::{Arc, atomic::{AtomicUsize, Ordering}}};
/// use async_trait::async_trait;
/// use token_cache::store::{EntryAddress, ReadOptions, TokenStore, delegate_store};
/// use token_cache::{Entry, Result};
///
/// /// Counts the reads of another store.
/// #[derive(Debug)]
/// struct Counting {
///     inner: Arc<dyn TokenStore>,
///     reads: AtomicUsize,
/// }
///
/// #[async_trait]
/// impl TokenStore for Counting {
///     async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
///         self.reads.fetch_add(1, Ordering::Relaxed);
///         self.inner.read(at, options).await
///     }
///
///     delegate_store!(self => self.inner; capabilities, diagnostics, namespace, set_namespace, begin, session, write, remove, evict,
///         sessions, clock, backplane);
/// }
///
/// delegate_store!(impl RefreshLocks, SidIndex, BackgroundSessions for Counting => inner);
///
/// impl fmt::Display for Counting {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         write!(f, "counting({})", self.inner)
///     }
/// }
/// ```
#[macro_export]
macro_rules! delegate_store {
    (@ $this:ident $target:expr, capabilities) => {
        fn capabilities(&$this) -> $crate::Capabilities {
            $crate::TokenStore::capabilities(&$target)
        }
    };
    (@ $this:ident $target:expr, diagnostics) => {
        fn diagnostics(&$this) -> Vec<$crate::Diagnostic> {
            $crate::TokenStore::diagnostics(&$target)
        }
    };
    (@ $this:ident $target:expr, namespace) => {
        fn namespace<'life0, 'async_trait>(
            &'life0 $this
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<$crate::Namespace>>
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            $crate::TokenStore::namespace(&$target)
        }
    };
    (@ $this:ident $target:expr, set_namespace) => {
        fn set_namespace<'life0, 'life1, 'life2, 'async_trait>(
            &'life0 $this,
            expected: Option<&'life1 $crate::NamespaceRecord>,
            record: &'life2 $crate::NamespaceRecord
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<bool>>
        where
            'life0: 'async_trait, 'life1: 'async_trait, 'life2: 'async_trait,
            Self: 'async_trait,
        {
            $crate::TokenStore::set_namespace(&$target, expected, record)
        }
    };
    (@ $this:ident $target:expr, begin) => {
        fn begin<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            account: &'life1 $crate::AccountKey,
            session: $crate::BeginSession
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<$crate::Begun>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::TokenStore::begin(&$target, account, session)
        }
    };
    (@ $this:ident $target:expr, session) => {
        fn session<'life0, 'life1, 'life2, 'async_trait>(
            &'life0 $this,
            account: &'life1 $crate::AccountKey,
            session_id: &'life2 $crate::SessionId,
            options: $crate::ReadOptions
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<$crate::SessionRecord>>
        where
            'life0: 'async_trait, 'life1: 'async_trait, 'life2: 'async_trait,
            Self: 'async_trait,
        {
            $crate::TokenStore::session(&$target, account, session_id, options)
        }
    };
    (@ $this:ident $target:expr, read) => {
        fn read<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            at: &'life1 $crate::EntryAddress,
            options: $crate::ReadOptions
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<Option<$crate::Entry>>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::TokenStore::read(&$target, at, options)
        }
    };
    (@ $this:ident $target:expr, write) => {
        fn write<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            at: &'life1 $crate::EntryAddress,
            entry: $crate::Entry,
            options: $crate::WriteOptions
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<$crate::PutResult>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::TokenStore::write(&$target, at, entry, options)
        }
    };
    (@ $this:ident $target:expr, remove) => {
        fn remove<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            at: &'life1 $crate::EntryAddress
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<()>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::TokenStore::remove(&$target, at)
        }
    };
    (@ $this:ident $target:expr, evict) => {
        fn evict<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            account: &'life1 $crate::AccountKey,
            target: $crate::EvictTarget,
            options: $crate::EvictOptions
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<$crate::Evicted>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::TokenStore::evict(&$target, account, target, options)
        }
    };
    (@ $this:ident $target:expr, sessions) => {
        fn sessions<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            account: &'life1 $crate::AccountKey,
            options: $crate::ReadOptions
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<Vec<$crate::SessionRecord>>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::TokenStore::sessions(&$target, account, options)
        }
    };
    (@ $this:ident $target:expr, clock) => {
        fn clock(&$this) -> Option<&dyn $crate::TimeSource> {
            $crate::TokenStore::clock(&$target)
        }
    };
    (@ $this:ident $target:expr, backplane) => {
        fn backplane(&$this) -> Option<&dyn $crate::Backplane> {
            $crate::TokenStore::backplane(&$target)
        }
    };
    (@ $this:ident $target:expr, acquire) => {
        fn acquire<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            at: &'life1 $crate::EntryAddress,
            options: $crate::AcquireOptions
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<$crate::Acquired>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::RefreshLocks::acquire(&$target, at, options)
        }
    };
    (@ $this:ident $target:expr, release) => {
        fn release<'life0, 'life1, 'life2, 'async_trait>(
            &'life0 $this,
            at: &'life1 $crate::EntryAddress,
            owner: &'life2 $crate::LockOwner
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<()>>
        where
            'life0: 'async_trait, 'life1: 'async_trait, 'life2: 'async_trait,
            Self: 'async_trait,
        {
            $crate::RefreshLocks::release(&$target, at, owner)
        }
    };
    (@ $this:ident $target:expr, end_if_version) => {
        fn end_if_version<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            at: &'life1 $crate::EntryAddress,
            version: $crate::Version,
            options: $crate::EvictOptions
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<bool>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::RefreshLocks::end_if_version(&$target, at, version, options)
        }
    };
    (@ $this:ident $target:expr, add) => {
        fn add<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            sid: &'life1 $crate::SidKey,
            sid_entry: $crate::SidEntry
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<()>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::SidIndex::add(&$target, sid, sid_entry)
        }
    };
    (@ $this:ident $target:expr, set_sid_not_before) => {
        fn set_sid_not_before<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            sid: &'life1 $crate::SidKey,
            bound: $crate::CutoffBound,
            options: $crate::NotBeforeOptions
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<$crate::SidAccounts>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::SidIndex::set_sid_not_before(&$target, sid, bound, options)
        }
    };
    (@ $this:ident $target:expr, check_issuer) => {
        fn check_issuer<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            issuer: &'life1 $crate::IssuerKey,
            requested_at: $crate::Timestamp,
            not_after: $crate::Timestamp
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<()>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::SidIndex::check_issuer(&$target, issuer, requested_at, not_after)
        }
    };
    (@ $this:ident $target:expr, set_issuer_not_before) => {
        fn set_issuer_not_before<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            issuer: &'life1 $crate::IssuerKey,
            at: $crate::Timestamp,
            options: $crate::NotBeforeOptions
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<()>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::SidIndex::set_issuer_not_before(&$target, issuer, at, options)
        }
    };
    (@ $this:ident $target:expr, accounts) => {
        fn accounts<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            scan: &'life1 $crate::AccountListOptions
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<$crate::AccountPage>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::SidIndex::accounts(&$target, scan)
        }
    };
    (@ $this:ident $target:expr, evict_accounts) => {
        fn evict_accounts<'life0, 'life1, 'async_trait>(
            &'life0 $this,
            accounts: &'life1 [$crate::AccountKey],
            at: $crate::Timestamp,
            not_before: $crate::NotBeforeScope,
            options: $crate::EvictOptions
        ) -> $crate::backend::StoreFuture<'async_trait, Vec<$crate::Result<$crate::Evicted>>>
        where
            'life0: 'async_trait, 'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::SidIndex::evict_accounts(&$target, accounts, at, not_before, options)
        }
    };
    (@ $this:ident $target:expr, keep) => {
        fn keep<'life0, 'life1, 'life2, 'async_trait>(
            &'life0 $this,
            account: &'life1 $crate::AccountKey,
            name: &'life2 $crate::BackgroundKey,
            background_session: $crate::BackgroundSession,
            options: $crate::ReadOptions
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<()>>
        where
            'life0: 'async_trait, 'life1: 'async_trait, 'life2: 'async_trait,
            Self: 'async_trait,
        {
            $crate::BackgroundSessions::keep(&$target, account, name, background_session, options)
        }
    };
    (@ $this:ident $target:expr, find) => {
        fn find<'life0, 'life1, 'life2, 'async_trait>(
            &'life0 $this,
            account: &'life1 $crate::AccountKey,
            name: &'life2 $crate::BackgroundKey,
            options: $crate::ReadOptions
        ) -> $crate::backend::StoreFuture<'async_trait, $crate::Result<Vec<$crate::BackgroundSession>>>
        where
            'life0: 'async_trait, 'life1: 'async_trait, 'life2: 'async_trait,
            Self: 'async_trait,
        {
            $crate::BackgroundSessions::find(&$target, account, name, options)
        }
    };
    (@part RefreshLocks, $wrapper:ty, $field:tt) => {
        impl $crate::RefreshLocks for $wrapper {
            $crate::delegate_store!(self => self.$field; acquire, release, end_if_version);
        }
    };
    (@part SidIndex, $wrapper:ty, $field:tt) => {
        impl $crate::SidIndex for $wrapper {
            $crate::delegate_store!(self => self.$field; add, set_sid_not_before, check_issuer, set_issuer_not_before, accounts, evict_accounts);
        }
    };
    (@part BackgroundSessions, $wrapper:ty, $field:tt) => {
        impl $crate::BackgroundSessions for $wrapper {
            $crate::delegate_store!(self => self.$field; keep, find);
        }
    };
    (impl $($part:ident),+ for $wrapper:ty => $field:tt) => {
        $($crate::delegate_store!(@part $part, $wrapper, $field);)+
    };
    ($this:ident => $target:expr; $($method:ident),+ $(,)?) => {
        $($crate::delegate_store!(@ $this $target, $method);)+
    };
}

impl<S: TokenStore + ?Sized> TokenStore for Arc<S> {
    delegate_store!(self => **self; capabilities, diagnostics, namespace, set_namespace, begin, session, read, write, remove, evict, sessions, clock, backplane);
}

impl<S: TokenStore + ?Sized> RefreshLocks for Arc<S> {
    delegate_store!(self => **self; acquire, release, end_if_version);
}

impl<S: TokenStore + ?Sized> SidIndex for Arc<S> {
    delegate_store!(self => **self; add, set_sid_not_before, check_issuer, set_issuer_not_before, accounts, evict_accounts);
}

impl<S: TokenStore + ?Sized> BackgroundSessions for Arc<S> {
    delegate_store!(self => **self; keep, find);
}
