use std::{fmt, sync::Arc, time::Duration};

use futures_core::future::BoxFuture;

use super::{
    Inner, Settings, StorePath, TokenCache, expected_sids::ExpectedSids, namespace::NamespaceState,
    token_warnings::TokenWarnings,
};
use crate::{
    BeginSession, Error, KeyProvider, KeyRing, MemoryStore, NOT_BEFORE_LIFETIME, RefreshPolicy,
    Result, RingKey, Secret, ServerId, SidMeaning, TokenStore, UnreadableEntries,
    crypto::{Ring, Sealer},
    near_cache::{
        BootTime, FleetConfigWatch, FleetMember, NearCacheSettings, SystemBootTime,
        WithoutNearCache,
    },
    refresh::Refreshes,
};

const DEFAULT_SIGN_IN_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// A not-before time lives for half an hour, and must outlive every sign-in that it may have to refuse.
const MAX_SIGN_IN_TIMEOUT: Duration = Duration::from_secs(29 * 60);
const _: () = assert!(MAX_SIGN_IN_TIMEOUT.as_secs() < NOT_BEFORE_LIFETIME.as_secs());

const MAX_ASSERTION: Duration = Duration::from_secs(7 * 24 * 3600);

/// A builder with the settings of a [`TokenCache`] and the store that it uses. [`TokenCache::builder`] creates it, and [`open`](Self::open)
/// opens the cache.
///
/// Only the secret is required. Set it with [`secret`](Self::secret), or in the environment variable `TOKEN_CACHE_SECRET`. The methods do
/// not check their values: [`open`](Self::open) refuses a value that is out of range, with [`Misuse`](crate::ErrorKind::Misuse).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// use std::time::Duration;
/// use token_cache::{MemoryStore, Secret, TokenCache};
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
    near_cache: Arc<dyn NearCacheSettings>,
    boot: Arc<dyn BootTime>,
}

impl TokenCache {
    /// Opens the cache in `store`, with `secret` and the default settings. All app servers that share the store's data must use the same
    /// secret: for another one, the method returns [`Config`](crate::ErrorKind::Config). To change a setting, use
    /// [`builder`](Self::builder).
    ///
    /// The key ring is read from the environment variable `TOKEN_CACHE_KEYS`. If that is not set, the only key is derived from the secret.
    ///
    /// # Errors
    /// As [`TokenCacheBuilder::open`].
    pub async fn open(store: impl TokenStore, secret: Secret) -> Result<Self> {
        Self::builder(store).secret(secret).open().await
    }

    /// Creates a builder for a cache in `store`, with the default settings. Use it to change settings before the cache is opened. Nothing
    /// is sent to the store before [`TokenCacheBuilder::open`].
    pub fn builder(store: impl TokenStore) -> TokenCacheBuilder {
        let store: Arc<dyn TokenStore> = Arc::new(store);
        TokenCacheBuilder::connecting(std::future::ready(Ok(store)))
    }

    /// Opens a cache in the memory of this process, with a random secret and the default settings. It is for tests, and for apps of one
    /// process.
    ///
    /// All data is lost when the process ends. The method reads no environment variable.
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
    /// Creates a builder with the default settings, for a store that is not connected yet. The function `token_cache::builder` calls it.
    /// For a connected store, use [`TokenCache::builder`].
    ///
    /// `connect` is the future that connects to the store and returns it. [`open`](Self::open) awaits it after it has checked the settings
    /// and the secret. If `connect` fails, `open` returns its error.
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
            },
            near_cache: Arc::new(WithoutNearCache),
            boot: Arc::new(SystemBootTime),
        }
    }

    /// Sets the [`Secret`]. It must be the same on every app server of the namespace, which is all that one fleet of app servers has in a
    /// store. If it differs from the namespace's secret, [`open`](Self::open) returns [`Config`](crate::ErrorKind::Config). The keyed
    /// hashes of all ids are made with the secret. Without a [key ring](Self::key_ring), the key that encrypts is derived from it.
    ///
    /// By default, the secret is read from the environment variable `TOKEN_CACHE_SECRET`. If that is not set either, [`open`](Self::open)
    /// returns [`Config`](crate::ErrorKind::Config).
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Sets the key ring: the keys that encrypt and decrypt entries, tickets, started sign-ins and background sessions.
    ///
    /// All app servers need the same keys. A server that lacks a key cannot decrypt what another one encrypted with it, and returns
    /// [`KeyMissing`](crate::ErrorKind::KeyMissing). [`open`](Self::open) refuses a ring of more than 16 keys with
    /// [`Config`](crate::ErrorKind::Config).
    ///
    /// By default, the key ring is read from the environment variable `TOKEN_CACHE_KEYS`. If that is not set, the only key is derived from
    /// the secret.
    pub fn key_ring(mut self, ring: KeyRing) -> Self {
        self.key_ring = Some(ring);
        self
    }

    /// Sets the key provider, which decrypts the *wrapped* keys of the key ring: keys that a key management service has encrypted
    /// ([`RingKey::wrapped`]).
    ///
    /// If it takes longer than ten seconds for one key, [`open`](Self::open) returns [`TimedOut`](crate::ErrorKind::TimedOut). By default,
    /// no provider is set. [`open`](Self::open) then refuses a ring with a wrapped key, with [`Config`](crate::ErrorKind::Config).
    pub fn key_provider(mut self, provider: impl KeyProvider) -> Self {
        self.key_provider = Some(Arc::new(provider));
        self
    }

    /// Sets how long a user may take to sign in, from [`TokenCache::start_sign_in`] to [`TokenCache::sign_in`]. The default is 15 minutes,
    /// and the range is one second to 29 minutes. [`open`](Self::open) refuses other values with [`Misuse`](crate::ErrorKind::Misuse).
    ///
    /// If the user takes longer, [`TokenCache::sign_in`] returns [`SignInRevoked`](crate::ErrorKind::SignInRevoked).
    pub fn sign_in_timeout(mut self, timeout: Duration) -> Self {
        self.settings.sign_in_timeout = timeout;
        self
    }

    /// Sets the largest number of living sessions of an account. The default is 100, and the range is 1 to 100. [`open`](Self::open)
    /// refuses other values with [`Misuse`](crate::ErrorKind::Misuse).
    ///
    /// A sign-in that exceeds the limit succeeds, and ends the account's oldest sessions: those whose sign-ins were started first. Web APIs
    /// begin sessions on behalf of an account with [`TokenCache::on_behalf_of`]. These are counted separately, with the same limit.
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.settings.max_sessions = sessions;
        self
    }

    /// Sets which sessions a [`LogoutMessage`](crate::LogoutMessage) with a `sid` ends: those with the `sid` ([`SidMeaning::Session`], the
    /// default), or all sessions of the accounts that signed in under it ([`SidMeaning::Account`]).
    ///
    /// The setting applies only to [`TokenCache::sign_out_by`], whose message the provider has signed. A sign-out with
    /// [`SignOutScope::ProviderSession`](crate::SignOutScope::ProviderSession), for example for an unsigned front-channel request, always
    /// ends only the sessions with the `sid`.
    pub fn sid_meaning(mut self, meaning: SidMeaning) -> Self {
        self.settings.sid_meaning = meaning;
        self
    }

    /// Sets the longest lifetime of an access token that [`TokenCache::on_behalf_of`] accepts, for web APIs that act on behalf of their
    /// callers. The range is one second to seven days. [`open`](Self::open) refuses other values with [`Misuse`](crate::ErrorKind::Misuse).
    ///
    /// It is not set by default: `on_behalf_of` then returns [`Misuse`](crate::ErrorKind::Misuse). For a token with a longer lifetime than
    /// `life`, `on_behalf_of` returns [`Config`](crate::ErrorKind::Config).
    ///
    /// The store remembers the sign-out of an account or a `sid` for longer than this lifetime, and at least for half an hour. For that
    /// time, a token that was issued before the sign-out begins no session. **Set the same value on every server that shares the store**,
    /// also on servers that only sign users out. A sign-out by a server without the setting is remembered for only half an hour.
    pub fn longest_assertion(mut self, life: Duration) -> Self {
        self.settings.longest_assertion = Some(life);
        self
    }

    /// Sets the times and limits of [`Session::get_or_refresh`](crate::Session::get_or_refresh), such as the timeout of the provider. The
    /// default is [`RefreshPolicy::default`]. [`open`](Self::open) returns [`Misuse`](crate::ErrorKind::Misuse) if a value of `policy` is
    /// out of its range.
    pub fn refresh(mut self, policy: RefreshPolicy) -> Self {
        self.settings.refresh = policy;
        self
    }

    /// Sets the result of a read whose entry cannot be decrypted. By default, it is the error [`KeyMissing`](crate::ErrorKind::KeyMissing)
    /// or [`Corrupt`](crate::ErrorKind::Corrupt). With [`UnreadableEntries::Miss`], it is `None`, as for a missing entry. See
    /// [`UnreadableEntries`].
    pub fn unreadable_entries(mut self, entries: UnreadableEntries) -> Self {
        self.settings.unreadable_entries = entries;
        self
    }

    /// Turns the near cache on: this app server stores in its memory the entries and sessions that it reads, and serves later reads from
    /// there. The near cache is off by default.
    ///
    /// A sign-out stays final on every app server when it returns (G1), because it waits until no near cache can serve an ended session.
    /// Sign-outs wait in this way on every server that shares the store, even if that server has no near cache itself.
    ///
    /// A server that does not answer delays a sign-out by at most the longest lease that any server is configured with, plus 2% of it and 5
    /// ms. The lease is the time for which a server may serve near-cache entries without contact to the store. If the store has no
    /// [`Backplane`](crate::Backplane), every sign-out waits until near-cache entries have expired by age. `NearCacheConfig` of the
    /// crate `token-cache-near-cache` has the settings (`token_cache::near_cache`, feature `near-cache`).
    ///
    /// A server without a near cache can pass `NoNearCache` of that crate. Its sign-outs then wait only until the other servers have
    /// acknowledged them. By default, they wait for the longest life of a near-cache entry on any server.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
    /// use token_cache::{MemoryStore, Secret, TokenCache, near_cache::NearCacheConfig};
    ///
    /// let cache = TokenCache::builder(MemoryStore::new())
    ///     .secret(Secret::random()?)
    ///     .near_cache(NearCacheConfig::new().max_bytes(16 << 20))
    ///     .open()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn near_cache(mut self, settings: impl NearCacheSettings) -> Self {
        self.near_cache = Arc::new(settings);
        self
    }

    /// Sets the clock that measures near-cache leases and the ages of near-cache entries. The default is [`SystemBootTime`]. Only tests
    /// call it, with a clock that they set.
    #[cfg(feature = "test-util")]
    pub fn boot_time(mut self, clock: impl BootTime) -> Self {
        self.boot = Arc::new(clock);
        self
    }

    /// Connects to the store, and returns the cache.
    ///
    /// The settings, the secret and the key ring are checked before any request to the store. Then the secret is compared with the one in
    /// the store's [`NamespaceRecord`](crate::NamespaceRecord). If the store has no such record yet, the method writes one. A background
    /// task repeats the comparison every second. If the record later belongs to another secret, operations of this cache return
    /// [`Config`](crate::ErrorKind::Config).
    ///
    /// # Errors
    /// - [`Config`](crate::ErrorKind::Config) if the secret is missing, has fewer than 32 bytes, or differs from that of the record. Also
    ///   if the key ring is invalid.
    /// - [`Misuse`](crate::ErrorKind::Misuse) if a setting is out of range, or if the method is called outside of a tokio runtime. Also if
    ///   the near cache is on, the store has no [`Backplane`](crate::Backplane), and its settings have a lease or no maximum
    ///   age.
    /// - [`Denied`](crate::ErrorKind::Denied) and [`Unsupported`](crate::ErrorKind::Unsupported) if the near cache is on, and this server
    ///   cannot open a connection to the store's backplane, for example for lack of a permission.
    /// - [`Unavailable`](crate::ErrorKind::Unavailable) if other starting servers changed the `NamespaceRecord` at the same time, in ten
    ///   attempts. Open the cache again.
    /// - The errors of the key provider and of the store.
    pub async fn open(self) -> Result<TokenCache> {
        let refused = |message: &str| Err(Error::misuse("open the cache", message));
        let Settings {
            sign_in_timeout,
            max_sessions,
            longest_assertion,
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
        let near_cache = self.near_cache;
        near_cache.check()?;
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
        let near_cache_life = near_cache.longest_life(store.backplane().is_some())?;
        let boot = Arc::clone(&self.boot);
        let state = NamespaceState::open(&*store, &secret, near_cache_life, boot).await?;
        let server = ServerId::mint()?;
        let member = FleetMember {
            server,
            store: Arc::clone(&store),
            config: FleetConfigWatch::of(state.fleet_config()),
            clock: self.boot,
        };
        let near_cache = near_cache.open(member).await?;
        near_cache.start();
        let sealer = Sealer::of(Arc::clone(&ring));
        let path = StorePath::new(store, sealer, self.settings.unreadable_entries, near_cache);
        let cache = TokenCache(Arc::new(Inner {
            path,
            server,
            secret,
            ring,
            key_provider,
            state,
            expected_sids: ExpectedSids::default(),
            token_warnings: TokenWarnings::default(),
            settings: self.settings,
            refreshes,
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
