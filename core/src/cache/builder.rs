use std::{fmt, sync::Arc, time::Duration};

use futures_core::future::BoxFuture;

use super::{
    Inner, Settings, TokenCache, expected_sids::ExpectedSids, namespace::NamespaceState,
    token_warnings::TokenWarnings,
};
use crate::{
    BeginSession, Error, KeyProvider, KeyRing, MemoryStore, NOT_BEFORE_LIFETIME, RefreshPolicy,
    Result, RingKey, SealedStore, Sealer, Secret, SidMeaning, TokenStore, UnreadableEntries,
    near_cache::{
        BootTime, InvalidationCoordinator, NearCache, NearCacheConfig, NearCacheParts,
        SystemBootTime,
    },
    refresh::Refreshes,
    seal::Ring,
};

const DEFAULT_SIGN_IN_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// A not-before time lives for half an hour, and must outlive every sign-in that it may have to refuse.
const MAX_SIGN_IN_TIMEOUT: Duration = Duration::from_secs(29 * 60);
const _: () = assert!(MAX_SIGN_IN_TIMEOUT.as_secs() < NOT_BEFORE_LIFETIME.as_secs());

const MAX_ASSERTION: Duration = Duration::from_secs(7 * 24 * 3600);

/// The settings of a [`TokenCache`], and the store that it opens. [`TokenCache::builder`] creates it, and [`open`](Self::open) opens the
/// cache.
///
/// Only the secret is required: set it with [`secret`](Self::secret), or in the environment variable `TOKEN_CACHE_SECRET`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
/// use std::time::Duration;
/// use token_cache_core::{MemoryStore, Secret, TokenCache};
///
/// let cache = TokenCache::builder(MemoryStore::new())
///     .secret(Secret::random()?)
///     .sign_in_timeout(Duration::from_secs(10 * 60))
///     .open()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use]
pub struct TokenCacheBuilder {
    connect: BoxFuture<'static, Result<Arc<dyn TokenStore>>>,
    secret: Option<Secret>,
    key_ring: Option<KeyRing>,
    key_provider: Option<Arc<dyn KeyProvider>>,
    settings: Settings,
    boot: Arc<dyn BootTime>,
}

impl TokenCache {
    /// Opens the cache in `store`, with a secret and the default settings. The key ring is still read from the environment variable
    /// `TOKEN_CACHE_KEYS`, if that is set.
    ///
    /// # Errors
    /// As [`TokenCacheBuilder::open`].
    pub async fn open(store: impl TokenStore, secret: Secret) -> Result<Self> {
        Self::builder(store).secret(secret).open().await
    }

    /// Creates a builder, to open the cache in `store` with other settings. It sends nothing before [`TokenCacheBuilder::open`].
    pub fn builder(store: impl TokenStore) -> TokenCacheBuilder {
        let store: Arc<dyn TokenStore> = Arc::new(store);
        TokenCacheBuilder::connecting(std::future::ready(Ok(store)))
    }

    /// Opens a cache in the memory of this process, with a random secret: for tests, and for apps of one process. Everything in it is
    /// lost when the process ends. It reads no environment variable.
    ///
    /// # Errors
    /// As [`TokenCacheBuilder::open`].
    pub async fn in_memory() -> Result<Self> {
        Self::builder(MemoryStore::new())
            .secret(Secret::random()?)
            .key_ring(KeyRing::sealing_with(RingKey::of_secret()))
            .open()
            .await
    }
}

impl TokenCacheBuilder {
    /// Creates a builder with the default settings, for a store that is not connected yet. [`TokenCache::builder`] takes a connected one.
    ///
    /// [`open`](Self::open) awaits `connect` after it has checked the settings and the secret.
    pub fn connecting(
        connect: impl Future<Output = Result<Arc<dyn TokenStore>>> + Send + 'static,
    ) -> Self {
        Self {
            connect: Box::pin(connect),
            secret: None,
            key_ring: None,
            key_provider: None,
            settings: Settings {
                sign_in_timeout: DEFAULT_SIGN_IN_TIMEOUT,
                max_sessions: BeginSession::MAX_SESSIONS,
                sid_meaning: SidMeaning::default(),
                longest_assertion: None,
                refresh: RefreshPolicy::default(),
                unreadable_entries: UnreadableEntries::default(),
                near_cache: None,
            },
            boot: Arc::new(SystemBootTime),
        }
    }

    /// Sets the secret. By default, it is read from the environment variable `TOKEN_CACHE_SECRET`.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Sets the key ring: the keys that encrypt and decrypt. By default, it is read from the environment variable `TOKEN_CACHE_KEYS`. If
    /// that is not set either, the only key is derived from the secret.
    pub fn key_ring(mut self, ring: KeyRing) -> Self {
        self.key_ring = Some(ring);
        self
    }

    /// Sets the key provider that unwraps the wrapped keys of the ring. By default, no provider is set. Then [`open`](Self::open) refuses a
    /// ring with a wrapped key, with [`Config`](crate::ErrorKind::Config).
    pub fn key_provider(mut self, provider: impl KeyProvider) -> Self {
        self.key_provider = Some(Arc::new(provider));
        self
    }

    /// Sets how long a user may take from the authorization request to the callback: 15 minutes by default, from one second to 29 minutes.
    ///
    /// [`TokenCache::sign_in`] refuses a later callback with [`SignInRevoked`](crate::ErrorKind::SignInRevoked).
    pub fn sign_in_timeout(mut self, timeout: Duration) -> Self {
        self.settings.sign_in_timeout = timeout;
        self
    }

    /// Sets the largest number of living sessions of an account: from 1 to 100, which is the default. A sign-in that exceeds the limit
    /// ends the oldest session. Sessions that a web API began on behalf of the account are counted separately, with the same limit.
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.settings.max_sessions = sessions;
        self
    }

    /// Sets what a `sid` in a [`LogoutMessage`](crate::LogoutMessage) stands for: [`SidMeaning::Session`] by default.
    ///
    /// The setting does not change [`SignOutScope::ProviderSession`](crate::SignOutScope::ProviderSession). A sign-out that no
    /// message of the provider proves, such as a front-channel request, ends only the sessions of the `sid`.
    pub fn sid_meaning(mut self, meaning: SidMeaning) -> Self {
        self.settings.sid_meaning = meaning;
        self
    }

    /// Sets the longest lifetime of the access tokens that a web API is called with: from one second to seven days. It is not set by
    /// default, and [`on_behalf_of`](TokenCache::on_behalf_of) then returns [`Misuse`](crate::ErrorKind::Misuse).
    ///
    /// A sign-out is remembered for this long, so that an earlier token begins no session after it. **Set the same value on every
    /// server that shares the store**, also on those that only sign out. A sign-out by a server without the setting is remembered
    /// for half an hour.
    pub fn longest_assertion(mut self, life: Duration) -> Self {
        self.settings.longest_assertion = Some(life);
        self
    }

    /// Sets the times and limits of refreshes: [`RefreshPolicy::default`] by default.
    pub fn refresh(mut self, policy: RefreshPolicy) -> Self {
        self.settings.refresh = policy;
        self
    }

    /// Sets what a read of an entry returns that cannot be decrypted: an error by default, see [`UnreadableEntries`].
    pub fn unreadable_entries(mut self, entries: UnreadableEntries) -> Self {
        self.settings.unreadable_entries = entries;
        self
    }

    /// Turns the near cache on: this app server stores in its memory what it has read, and serves reads from there. It is off by default.
    ///
    /// A sign-out stays final on every app server when it returns (G1): it waits until no near cache can serve an ended session. A server
    /// that does not answer delays it by at most its lease, the time for which it may serve entries without contact to the store. If the
    /// store has no [`Backplane`](crate::Backplane), every sign-out waits until near-cache entries have expired. Sign-outs wait on every
    /// server that shares the store, also on those without a near cache. See [`NearCacheConfig`] for the costs.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
    /// use token_cache_core::{MemoryStore, Secret, TokenCache, near_cache::NearCacheConfig};
    ///
    /// let cache = TokenCache::builder(MemoryStore::new())
    ///     .secret(Secret::random()?)
    ///     .near_cache(NearCacheConfig::new().max_bytes(16 << 20))
    ///     .open()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn near_cache(mut self, config: NearCacheConfig) -> Self {
        self.settings.near_cache = Some(config);
        self
    }

    /// Sets the clock that measures leases and the ages of near-cache entries: the machine's by default.
    #[cfg(feature = "test-util")]
    pub fn boot_time(mut self, clock: impl BootTime) -> Self {
        self.boot = Arc::new(clock);
        self
    }

    /// Connects to the store, and returns the cache. Checks that no server uses another secret for the namespace, which is all that is
    /// stored under the prefix. A background task repeats the check every second.
    ///
    /// Settings, secret and key ring are checked before any request to the store.
    ///
    /// # Errors
    /// - [`Config`](crate::ErrorKind::Config) if the secret is missing, too short or not the namespace's, or if the key ring is invalid.
    /// - [`Misuse`](crate::ErrorKind::Misuse) if a setting is out of range, or if there is no tokio runtime. Also if near caches are on
    ///   without a stated maximum age, and the store has no backplane.
    /// - [`Denied`](crate::ErrorKind::Denied) and [`Unsupported`](crate::ErrorKind::Unsupported) if near caches are on and the backplane
    ///   that they need cannot be opened.
    /// - The errors of the key provider and of the store.
    pub async fn open(self) -> Result<TokenCache> {
        let refused = |message: &str| Err(Error::misuse("open the cache", message));
        let Settings {
            sign_in_timeout,
            max_sessions,
            longest_assertion,
            near_cache,
            ..
        } = self.settings;
        if sign_in_timeout < Duration::from_secs(1) || sign_in_timeout > MAX_SIGN_IN_TIMEOUT {
            return refused("the sign-in timeout must be between one second and 29 minutes");
        }
        if !(1..=BeginSession::MAX_SESSIONS).contains(&max_sessions) {
            return refused("`max_sessions` must be between 1 and 100");
        }
        if longest_assertion
            .is_some_and(|life| life < Duration::from_secs(1) || life > MAX_ASSERTION)
        {
            return refused("`longest_assertion` must be between one second and seven days");
        }
        near_cache.map(NearCacheConfig::checked).transpose()?;
        if tokio::runtime::Handle::try_current().is_err() {
            return refused(
                "it needs a tokio runtime; open the cache within `#[tokio::main]`, for example",
            );
        }
        let refreshes = Refreshes::new(self.settings.refresh.checked()?);
        let secret = match self.secret {
            Some(secret) => secret,
            None => Secret::from_env()?,
        };
        let key_ring = match self.key_ring {
            Some(ring) => ring,
            None => {
                KeyRing::from_env()?.unwrap_or_else(|| KeyRing::sealing_with(RingKey::of_secret()))
            }
        };
        let key_provider = self.key_provider;
        let keys = key_ring
            .unwrap(&secret, key_provider.as_deref(), None)
            .await?;
        let ring = Arc::new(Ring::new(keys));
        let store = self.connect.await?;
        let sealed: Arc<dyn TokenStore> = Arc::new(
            SealedStore::new(store, Sealer::of(Arc::clone(&ring)))
                .unreadable_entries(self.settings.unreadable_entries),
        );
        let cached = match near_cache {
            Some(policy) => {
                let (inner, clock) = (Arc::clone(&sealed), Arc::clone(&self.boot));
                let cached = NearCache::new(inner, policy, Arc::default(), clock)?;
                Some(Arc::new(cached))
            }
            None => None,
        };
        let (store, parts, near_cache_life): (Arc<dyn TokenStore>, _, _) = match &cached {
            Some(cached) => {
                let store = Arc::clone(cached);
                (store, cached.parts(), cached.longest_life())
            }
            None => (
                Arc::clone(&sealed),
                NearCacheParts::nothing(),
                Duration::ZERO,
            ),
        };
        let boot = Arc::clone(&self.boot);
        let state = NamespaceState::open(&*sealed, &secret, near_cache_life, boot).await?;
        let fleet_config = state.fleet_config().subscribe();
        let coordinator = InvalidationCoordinator::new(sealed, parts, fleet_config, self.boot)?;
        coordinator.check().await?;
        coordinator.start();
        let cache = TokenCache(Arc::new(Inner {
            store,
            secret,
            ring,
            key_provider,
            state,
            expected_sids: ExpectedSids::default(),
            token_warnings: TokenWarnings::default(),
            settings: self.settings,
            refreshes,
            near_cache: cached,
            coordinator,
        }));
        super::namespace::watch(&cache);
        for diagnostic in cache.diagnostics() {
            diagnostic.log();
        }
        Ok(cache)
    }
}

impl fmt::Debug for TokenCacheBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCacheBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
