//! The faults of a broken store, one for each step.

/// Writes a trait or an implementation of [`Fault`] from the names of its methods and of their parameters. It has the signature of each method.
macro_rules! fault {
    (impl[$($generics:tt)*] $fault:ty { $($methods:tt)* }) => {
        fault!(@next [impl<$($generics)*> crate::fault::Fault for $fault] [] $($methods)*);
    };
    (impl $fault:ty { $($methods:tt)* }) => {
        fault!(@next [impl crate::fault::Fault for $fault] [] $($methods)*);
    };
    ($(#[$doc:meta])* pub(crate) trait $fault:ident { $($methods:tt)* }) => {
        fault!(@next [$(#[$doc])* pub(crate) trait $fault: Default + Send + Sync + 'static] [] $($methods)*);
    };
    (@next [$($head:tt)*] [$($done:tt)*]) => {
        #[token_cache_conformance::async_trait]
        $($head)* { $($done)* }
    };
    (@next $head:tt [$($done:tt)*] namespace($me:ident, $healthy:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn namespace(
                &$me,
                $healthy: &dyn token_cache_core::TokenStore,
            ) -> token_cache_core::Result<token_cache_core::Namespace> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] set_namespace($me:ident, $healthy:pat_param, $expected:pat_param, $record:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn set_namespace(
                &$me,
                $healthy: &dyn token_cache_core::TokenStore,
                $expected: Option<&token_cache_core::NamespaceRecord>,
                $record: &token_cache_core::NamespaceRecord,
            ) -> token_cache_core::Result<bool> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] begin($me:ident, $healthy:pat_param, $account:pat_param, $session:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn begin(
                &$me,
                $healthy: &dyn token_cache_core::TokenStore,
                $account: &token_cache_core::AccountKey,
                $session: token_cache_core::BeginSession,
            ) -> token_cache_core::Result<token_cache_core::Begun> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] session($me:ident, $healthy:pat_param, $account:pat_param, $session_id:pat_param, $options:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn session(
                &$me,
                $healthy: &dyn token_cache_core::TokenStore,
                $account: &token_cache_core::AccountKey,
                $session_id: &token_cache_core::SessionId,
                $options: token_cache_core::ReadOptions,
            ) -> token_cache_core::Result<token_cache_core::SessionRecord> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] read($me:ident, $healthy:pat_param, $at:pat_param, $options:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn read(
                &$me,
                $healthy: &dyn token_cache_core::TokenStore,
                $at: &token_cache_core::EntryAddress,
                $options: token_cache_core::ReadOptions,
            ) -> token_cache_core::Result<Option<token_cache_core::Entry>> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] write($me:ident, $healthy:pat_param, $at:pat_param, $entry:pat_param, $options:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn write(
                &$me,
                $healthy: &dyn token_cache_core::TokenStore,
                $at: &token_cache_core::EntryAddress,
                $entry: token_cache_core::Entry,
                $options: token_cache_core::WriteOptions,
            ) -> token_cache_core::Result<token_cache_core::PutResult> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] remove($me:ident, $healthy:pat_param, $at:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn remove(
                &$me,
                $healthy: &dyn token_cache_core::TokenStore,
                $at: &token_cache_core::EntryAddress,
            ) -> token_cache_core::Result<()> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] evict($me:ident, $healthy:pat_param, $account:pat_param, $target:pat_param, $options:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn evict(
                &$me,
                $healthy: &dyn token_cache_core::TokenStore,
                $account: &token_cache_core::AccountKey,
                $target: token_cache_core::EvictTarget,
                $options: token_cache_core::EvictOptions,
            ) -> token_cache_core::Result<token_cache_core::Evicted> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] sessions($me:ident, $healthy:pat_param, $account:pat_param, $options:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn sessions(
                &$me,
                $healthy: &dyn token_cache_core::TokenStore,
                $account: &token_cache_core::AccountKey,
                $options: token_cache_core::ReadOptions,
            ) -> token_cache_core::Result<Vec<token_cache_core::SessionRecord>> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] acquire($me:ident, $healthy:pat_param, $at:pat_param, $options:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn acquire(
                &$me,
                $healthy: &dyn token_cache_core::RefreshLocks,
                $at: &token_cache_core::EntryAddress,
                $options: token_cache_core::AcquireOptions,
            ) -> token_cache_core::Result<token_cache_core::Acquired> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] release($me:ident, $healthy:pat_param, $at:pat_param, $owner:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn release(
                &$me,
                $healthy: &dyn token_cache_core::RefreshLocks,
                $at: &token_cache_core::EntryAddress,
                $owner: &token_cache_core::LockOwner,
            ) -> token_cache_core::Result<()> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] end_if_version($me:ident, $healthy:pat_param, $at:pat_param, $version:pat_param, $options:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn end_if_version(
                &$me,
                $healthy: &dyn token_cache_core::TokenStore,
                $at: &token_cache_core::EntryAddress,
                $version: token_cache_core::Version,
                $options: token_cache_core::EvictOptions,
            ) -> token_cache_core::Result<bool> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] keep($me:ident, $healthy:pat_param, $account:pat_param, $name:pat_param, $background_session:pat_param, $options:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn keep(
                &$me,
                $healthy: &dyn token_cache_core::BackgroundSessions,
                $account: &token_cache_core::AccountKey,
                $name: &token_cache_core::BackgroundKey,
                $background_session: token_cache_core::BackgroundSession,
                $options: token_cache_core::ReadOptions,
            ) -> token_cache_core::Result<()> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] find($me:ident, $healthy:pat_param, $account:pat_param, $name:pat_param, $options:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn find(
                &$me,
                $healthy: &dyn token_cache_core::BackgroundSessions,
                $account: &token_cache_core::AccountKey,
                $name: &token_cache_core::BackgroundKey,
                $options: token_cache_core::ReadOptions,
            ) -> token_cache_core::Result<Vec<token_cache_core::BackgroundSession>> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] add($me:ident, $healthy:pat_param, $sid:pat_param, $sid_entry:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn add(
                &$me,
                $healthy: &dyn token_cache_core::SidIndex,
                $sid: &token_cache_core::SidKey,
                $sid_entry: token_cache_core::SidEntry,
            ) -> token_cache_core::Result<()> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] set_sid_not_before($me:ident, $healthy:pat_param, $sid:pat_param, $bound:pat_param, $options:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn set_sid_not_before(
                &$me,
                $healthy: &dyn token_cache_core::SidIndex,
                $sid: &token_cache_core::SidKey,
                $bound: token_cache_core::CutoffBound,
                $options: token_cache_core::NotBeforeOptions,
            ) -> token_cache_core::Result<token_cache_core::SidAccounts> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] check_issuer($me:ident, $healthy:pat_param, $issuer:pat_param, $requested_at:pat_param, $not_after:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn check_issuer(
                &$me,
                $healthy: &dyn token_cache_core::SidIndex,
                $issuer: &token_cache_core::IssuerKey,
                $requested_at: token_cache_core::Timestamp,
                $not_after: token_cache_core::Timestamp,
            ) -> token_cache_core::Result<()> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] set_issuer_not_before($me:ident, $healthy:pat_param, $issuer:pat_param, $at:pat_param, $options:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn set_issuer_not_before(
                &$me,
                $healthy: &dyn token_cache_core::SidIndex,
                $issuer: &token_cache_core::IssuerKey,
                $at: token_cache_core::Timestamp,
                $options: token_cache_core::NotBeforeOptions,
            ) -> token_cache_core::Result<()> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] accounts($me:ident, $healthy:pat_param, $scan:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn accounts(
                &$me,
                $healthy: &dyn token_cache_core::SidIndex,
                $scan: &token_cache_core::AccountListOptions,
            ) -> token_cache_core::Result<token_cache_core::AccountPage> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] evict_accounts($me:ident, $healthy:pat_param, $accounts:pat_param, $at:pat_param, $not_before:pat_param, $options:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn evict_accounts(
                &$me,
                $healthy: &dyn token_cache_core::SidIndex,
                $accounts: &[token_cache_core::AccountKey],
                $at: token_cache_core::Timestamp,
                $not_before: token_cache_core::NotBeforeScope,
                $options: token_cache_core::EvictOptions,
            ) -> Vec<token_cache_core::Result<token_cache_core::Evicted>> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] connect($me:ident, $healthy:pat_param, $server:pat_param, $listener:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn connect(
                &$me,
                $healthy: &dyn token_cache_core::Backplane,
                $server: token_cache_core::ServerId,
                $listener: std::sync::Arc<dyn token_cache_core::InvalidationListener>,
            ) -> token_cache_core::Result<std::sync::Arc<dyn token_cache_core::BackplaneConnection>> $body
        ] $($rest)*);
    };
    (@next $head:tt [$($done:tt)*] publish($me:ident, $healthy:pat_param, $origin:pat_param, $what:pat_param) $body:block $($rest:tt)*) => {
        fault!(@next $head [$($done)*
            async fn publish(
                &$me,
                $healthy: &dyn token_cache_core::Backplane,
                $origin: Option<token_cache_core::ServerId>,
                $what: token_cache_core::Invalidation,
            ) -> token_cache_core::Result<token_cache_core::Published> $body
        ] $($rest)*);
    };
}
pub(crate) use fault;

fault! {
    /// A fault of a store. By default each step does what the healthy store does.
    pub(crate) trait Fault {
        namespace(self, healthy) {
            healthy.namespace().await
    }
        set_namespace(self, healthy, expected, record) {
            healthy.set_namespace(expected, record).await
    }
        begin(self, healthy, account, session) {
            healthy.begin(account, session).await
    }
        session(self, healthy, account, session_id, options) {
            healthy.session(account, session_id, options).await
    }
        read(self, healthy, at, options) {
            healthy.read(at, options).await
    }
        write(self, healthy, at, entry, options) {
            healthy.write(at, entry, options).await
    }
        remove(self, healthy, at) {
            healthy.remove(at).await
    }
        evict(self, healthy, account, target, options) {
            healthy.evict(account, target, options).await
    }
        sessions(self, healthy, account, options) {
            healthy.sessions(account, options).await
    }
        acquire(self, healthy, at, options) {
            healthy.acquire(at, options).await
    }
        release(self, healthy, at, owner) {
            healthy.release(at, owner).await
    }
        end_if_version(self, healthy, at, version, options) {
            healthy
                .end_if_version(at, version, options)
                .await
    }
        keep(self, healthy, account, name, background_session, options) {
            healthy
                .keep(account, name, background_session, options)
                .await
    }
        find(self, healthy, account, name, options) {
            healthy.find(account, name, options).await
    }
        add(self, healthy, sid, sid_entry) {
            healthy.add(sid, sid_entry).await
    }
        set_sid_not_before(self, healthy, sid, bound, options) {
            healthy.set_sid_not_before(sid, bound, options).await
    }
        check_issuer(self, healthy, issuer, requested_at, not_after) {
            healthy.check_issuer(issuer, requested_at, not_after).await
    }
        set_issuer_not_before(self, healthy, issuer, at, options) {
            healthy.set_issuer_not_before(issuer, at, options).await
    }
        accounts(self, healthy, scan) {
            healthy.accounts(scan).await
    }
        evict_accounts(self, healthy, accounts, at, not_before, options) {
            healthy
                .evict_accounts(accounts, at, not_before, options)
                .await
    }
        connect(self, healthy, server, listener) {
            healthy.connect(server, listener).await
    }
        publish(self, healthy, origin, what) {
            healthy.publish(origin, what).await
    }
    }
}

/// No fault at all: what is caught in the others is their fault, and not that of the wrapper around them.
#[derive(Default)]
pub(crate) struct Healthy;

fault!(impl Healthy {});
