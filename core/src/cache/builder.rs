use std::{fmt, sync::Arc, time::Duration};

use futures_core::future::BoxFuture;

use super::{
    Inner, Settings, TokenCache, expected_sids::ExpectedSids, namespace::NamespaceState,
    token_warnings::TokenWarnings,
};
use crate::{
    BeginSession, Error, KeyProvider, KeyRing, NOT_BEFORE_LIFETIME, RefreshPolicy, Result, RingKey,
    SealedStore, Sealer, Secret, TokenStore,
    near_cache::{
        BootTime, InvalidationCoordinator, NearCache, NearCacheConfig, NearCacheParts,
        SystemBootTime,
    },
    refresh::Refreshes,
    seal::Ring,
};

const DEFAULT_SIGN_IN_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Markers live half an hour, and must outlive every sign-in that they may have to refuse.
const MAX_SIGN_IN_TIMEOUT: Duration = Duration::from_secs(29 * 60);
const _: () = assert!(MAX_SIGN_IN_TIMEOUT.as_secs() < NOT_BEFORE_LIFETIME.as_secs());

const MAX_ASSERTION: Duration = Duration::from_secs(7 * 24 * 3600);

/// Settings of a [`TokenCache`].
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

impl TokenCacheBuilder {
    /// Settings of a cache on a store that is connected to when the cache is opened, after the settings and the secret were
    /// found good.
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
                sid_means_account: false,
                longest_assertion: None,
                refresh: RefreshPolicy::default(),
                unreadable_is_a_miss: false,
                near_cache: None,
            },
            boot: Arc::new(SystemBootTime),
        }
    }

    /// The secret; without it, `TOKEN_CACHE_SECRET` is read.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// The keys that seal and open; without them, `TOKEN_CACHE_KEYS` is read, and without that, one is derived from the secret.
    pub fn key_ring(mut self, ring: KeyRing) -> Self {
        self.key_ring = Some(ring);
        self
    }

    /// What unwraps the wrapped keys of the ring.
    pub fn key_provider(mut self, provider: impl KeyProvider) -> Self {
        self.key_provider = Some(Arc::new(provider));
        self
    }

    /// How long a user may take from the request to the callback: 15 minutes unless said, 29 at the most.
    pub fn sign_in_timeout(mut self, timeout: Duration) -> Self {
        self.settings.sign_in_timeout = timeout;
        self
    }

    /// How many sessions of an account may live: 100 unless said. The one begun first ends for the one too many. Those that a
    /// web API began on behalf of the account are counted apart, up to the same number.
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.settings.max_sessions = sessions;
        self
    }

    /// For providers that send one `sid` for all of a user's sessions (Keycloak does, for "sign out everywhere"): with `true`, a
    /// [`LogoutMessage`](crate::LogoutMessage) that names a `sid` ends every session of the accounts under that `sid`.
    ///
    /// It does not change [`SignOutScope::ProviderSession`](crate::SignOutScope::ProviderSession): a sign-out that no message of the provider
    /// proves, such as a front-channel request, ends the sessions of the `sid` alone.
    pub fn sid_means_account(mut self, yes: bool) -> Self {
        self.settings.sid_means_account = yes;
        self
    }

    /// How long the tokens live, at the most, that a web API is called with: needed for
    /// [`on_behalf_of`](TokenCache::on_behalf_of), up to seven days.
    ///
    /// A sign-out is remembered for so long, so that a token from before it begins no session after it. **Set it alike on every
    /// server that shares the store**, those too that only sign out: a sign-out by a server without it is remembered for half an hour.
    pub fn longest_assertion(mut self, life: Duration) -> Self {
        self.settings.longest_assertion = Some(life);
        self
    }

    /// How tokens are refreshed.
    pub fn refresh(mut self, policy: RefreshPolicy) -> Self {
        self.settings.refresh = policy;
        self
    }

    /// Whether an entry that can't be opened is a miss: an error unless said.
    ///
    /// As an error it is loud, and nobody is sent to sign in again because one server lacks the new key of the ring. As a miss
    /// it lets users sign in again where the key is lost for good; [`TokenCache::encryption_stats`] counts either.
    pub fn unreadable_is_a_miss(mut self, yes: bool) -> Self {
        self.settings.unreadable_is_a_miss = yes;
        self
    }

    /// Keeps copies of what this server has read, and serves reads from them at memory speed: off unless said.
    ///
    /// A sign-out stays final on every server when it returns (G1), and a server that does not answer holds it up for a lease at the
    /// most; where the store has no backplane, every sign-out waits until copies have died of age. Every server of the namespace waits
    /// for those that keep copies, whether it keeps any itself or not. [`NearCacheConfig`] says more of what it costs.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
    /// use token_cache_core::{MemoryStore, Secret, TokenCache, near_cache::CopyPolicy};
    ///
    /// let cache = TokenCache::builder(MemoryStore::new())
    ///     .secret(Secret::random()?)
    ///     .near_cache(CopyPolicy::new().max_bytes(16 << 20))
    ///     .open()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn near_cache(mut self, policy: NearCacheConfig) -> Self {
        self.settings.near_cache = Some(policy);
        self
    }

    /// The clock that leases and ages of near caches are counted on: the machine's unless said.
    #[cfg(feature = "test-util")]
    pub fn boot_time(mut self, clock: impl BootTime) -> Self {
        self.boot = Arc::new(clock);
        self
    }

    /// Connects to the store, checks that the secret is the namespace's, and goes on checking every second.
    ///
    /// Settings, secret and key ring are checked before any request.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) for a missing or short secret, for a key ring that is none, and for a secret that is not the namespace's;
    /// [`Misuse`](crate::ErrorKind::Misuse) for a setting out of range, for near caches of no stated age on a store without a backplane,
    /// and outside a tokio runtime; [`Denied`](crate::ErrorKind::Denied) and [`Unsupported`](crate::ErrorKind::Unsupported) where near caches are on and the
    /// link that they need can't be opened; the store's own failures.
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
            return refused("there is no tokio runtime here; open it within `#[tokio::main]`");
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
                .unreadable_is_a_miss(self.settings.unreadable_is_a_miss),
        );
        let cached = match near_cache {
            Some(policy) => {
                let (inner, clock) = (Arc::clone(&sealed), Arc::clone(&self.boot));
                let cached = NearCache::new(inner, policy, Arc::default(), clock)?;
                Some(Arc::new(cached))
            }
            None => None,
        };
        let (store, keeping, near_cache_life): (Arc<dyn TokenStore>, _, _) = match &cached {
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
        let coordinator = InvalidationCoordinator::new(sealed, keeping, fleet_config, self.boot)?;
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
