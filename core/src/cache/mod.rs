mod accounts;
mod application;
mod builder;
mod bulk;
mod encryption_stats;
mod expected_sids;
mod namespace;
mod near_cache;
mod on_behalf_of;
mod session;
mod sign_in;
mod sign_out;
mod token_warnings;

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::runtime::Handle;

pub(crate) use self::namespace::Keys;
pub use self::{
    builder::TokenCacheBuilder,
    bulk::{BulkCheckpoint, BulkProgress, BulkSignOut},
    session::Session,
};
use self::{expected_sids::ExpectedSids, namespace::NamespaceState, token_warnings::TokenWarnings};
use crate::backend::in_same_call;
use crate::{
    AccountId, AccountKey, Diagnostic, Error, EvictOptions, KeyProvider, KeyRing, MemoryStore,
    NOT_BEFORE_LIFETIME, RefreshPolicy, Result, RingKey, Secret, SidMeaning, StartedSignIn, Ticket,
    Timestamp, TokenStore,
    near_cache::{InvalidationCoordinator, NearCache, NearCacheConfig},
    refresh::Refreshes,
    seal::{Ring, UnreadableEntries},
    sign_in::Started,
    telemetry::in_current_span,
};

/// A server's handle to the shared cache. It is cheap to clone; a process needs one.
///
/// Most apps need five calls: [`sign_in`](Self::sign_in), [`resume`](Self::resume), [`Session::put`], [`Session::get`] and
/// [`sign_out`](Self::sign_out).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
/// use token_cache_core::{AccountId, EntryKey, SignIn, TokenCache, TokenSet};
///
/// let cache = TokenCache::in_memory().await?;
/// let ada = AccountId::new("https://id.example", "248289761001")?;
/// let api = EntryKey::resource("https://api.example")?;
///
/// let started = cache.start_sign_in()?;
/// let session = cache.sign_in(SignIn::new(ada.clone(), &started)).await?;
/// session.put(&api, TokenSet::new("at-1")?).await?;
/// let ticket = session.ticket()?; // goes into the app's own cookie
///
/// let session = cache.resume(&ticket).await?; // any later request, any server
/// assert!(session.get(&api).await?.is_some());
///
/// cache.sign_out_account(&ada).await?;
/// assert!(session.get(&api).await.unwrap_err().is_signed_out());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct TokenCache(Arc<Inner>);

struct Inner {
    store: Arc<dyn TokenStore>,
    secret: Secret,
    ring: Arc<Ring>,
    key_provider: Option<Arc<dyn KeyProvider>>,
    state: NamespaceState,
    expected_sids: ExpectedSids,
    token_warnings: TokenWarnings,
    settings: Settings,
    refreshes: Refreshes,
    /// The layer of `store` that is the near cache, or `None` if this server has none.
    near_cache: Option<Arc<NearCache<Arc<dyn TokenStore>>>>,
    /// Closes its backplane connection when the cache is dropped.
    coordinator: InvalidationCoordinator,
}

/// How much longer a not-before time lives than the longest assertion: more than the clocks of provider and store differ, plus
/// the error of any estimate.
const NOT_BEFORE_SPARE: Duration = Duration::from_secs(5 * 60);

#[derive(Debug, Clone, Copy)]
struct Settings {
    sign_in_timeout: Duration,
    max_sessions: usize,
    sid_meaning: SidMeaning,
    longest_assertion: Option<Duration>,
    refresh: RefreshPolicy,
    unreadable_entries: UnreadableEntries,
    near_cache: Option<NearCacheConfig>,
}

impl TokenCache {
    /// Opens a store with a secret and the default settings.
    ///
    /// # Errors
    /// As [`TokenCacheBuilder::open`].
    pub async fn open(store: impl TokenStore, secret: Secret) -> Result<Self> {
        Self::builder(store).secret(secret).open().await
    }

    /// Returns a builder, to open a store with other settings.
    pub fn builder(store: impl TokenStore) -> TokenCacheBuilder {
        let store: Arc<dyn TokenStore> = Arc::new(store);
        TokenCacheBuilder::connecting(std::future::ready(Ok(store)))
    }

    /// Returns a cache of this process alone, with a random secret.
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

    /// Returns the time of a sign-in's request, encrypted for the state cookie. Does no I/O.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the namespace has another secret by now.
    pub fn start_sign_in(&self) -> Result<StartedSignIn> {
        self.started(None)
    }

    /// Starts a sign-in whose authorization request has the parameter `max_age`, in whole seconds. Does no I/O.
    ///
    /// [`sign_in`](Self::sign_in) then refuses an authentication that was older than this when the request was sent, with a
    /// leeway of one minute. It also refuses an ID token without `auth_time` (OpenID Connect Core 1.0 section 3.1.3.7). The value is
    /// sealed, so a user cannot avoid the check by removing `max_age` from the request. An `auth_time` that cannot be right is refused
    /// under a `max_age` of less than a day, and ignored under a longer one.
    ///
    /// # Errors
    /// As [`start_sign_in`](Self::start_sign_in).
    pub fn start_sign_in_with_max_age(&self, max_age: Duration) -> Result<StartedSignIn> {
        self.started(Some(max_age))
    }

    fn started(&self, max_age: Option<Duration>) -> Result<StartedSignIn> {
        let requested_at = self.keys()?.earliest;
        StartedSignIn::seal(
            &self.0.ring,
            Started {
                requested_at,
                max_age,
            },
        )
    }

    /// Expects ID tokens of `issuer` to have a `sid`, because its logout messages name sessions by `sid`.
    ///
    /// A sign-in without a `sid` is then logged at WARN, once for each issuer: such a session is not ended by a message that
    /// names only a `sid`. `ClientRegistration::sid_claim` of `token-cache-sign-out` calls this.
    pub fn expect_sid(&self, issuer: &str) {
        self.0.expected_sids.add(issuer);
    }

    /// Returns the time on the store's clock, for the issue time of tokens. Does no I/O.
    ///
    /// A server knows the store's clock from the store's answers, up to a few milliseconds (up to a second on DynamoDB). This is the
    /// earliest time that is possible, so an expiry that is counted from it is never later than the true one.
    ///
    /// Use it for every time that goes into the cache, such as the `sent_at` of [`TokenSet::from_response`](crate::TokenSet::from_response).
    /// A time of this machine's own clock (`SystemTime::now()`) can be wrong, and an expired token would then count as fresh.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the namespace has another secret by now.
    pub fn now(&self) -> Result<Timestamp> {
        Ok(self.keys()?.earliest)
    }

    /// Returns the latest time that the store's clock can have reached, to check a time from elsewhere. Does no I/O.
    ///
    /// A time after it is certainly in the future. For the time of new tokens, use [`now`](Self::now).
    ///
    /// # Errors
    /// As [`now`](Self::now).
    pub fn latest_now(&self) -> Result<Timestamp> {
        Ok(self.keys()?.latest)
    }

    /// Returns the session of a ticket, if it lives. Sends one request, or none on a near-cache hit.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session has ended (G1);
    /// [`InvalidTicket`](crate::ErrorKind::InvalidTicket) if the ticket was changed or truncated: drop it.
    /// [`KeyMissing`](crate::ErrorKind::KeyMissing) if this server lacks the ticket's key, and every error of the store,
    /// including [`Corrupt`](crate::ErrorKind::Corrupt): the session may still live, so keep the ticket.
    pub async fn resume(&self, ticket: &Ticket) -> Result<Session> {
        let session = self.resume_unverified(ticket)?;
        session.check().await?;
        Ok(session)
    }

    /// Returns the session of a ticket without a request to the store. It does not prove that the session lives: the first read
    /// or write checks that.
    ///
    /// # Errors
    /// As [`resume`](Self::resume), without the errors of the store.
    pub fn resume_unverified(&self, ticket: &Ticket) -> Result<Session> {
        Session::new(self.clone(), ticket.open(&self.0.ring)?)
    }

    /// Returns the newest session of an account that was begun with
    /// [`SignIn::background_access`](crate::SignIn::background_access), for a job or a webhook that has no ticket. Returns `None`
    /// if no such session lives. Sends one request.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the store does not support background sessions;
    /// [`Corrupt`](crate::ErrorKind::Corrupt) and [`KeyMissing`](crate::ErrorKind::KeyMissing) if the bytes were not sealed by
    /// this cache for this account; the errors of the store.
    pub async fn background_session(&self, account: &AccountId) -> Result<Option<Session>> {
        accounts::open_background_session(self, account).await
    }

    /// Returns the diagnostics of the store and of this server's configuration: settings of the store that weaken a promise, missing
    /// permissions, a key file that other users may read. Opening the cache logs each of them once. Does no I/O.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
    /// let cache = token_cache_core::TokenCache::in_memory().await?;
    /// assert_eq!(cache.diagnostics(), []);
    /// # Ok(()) }
    /// ```
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut diagnostics = self.store().diagnostics();
        diagnostics.extend_from_slice(&self.0.ring.keys().diagnostics);
        diagnostics
    }

    /// Returns the store, with the layers of encryption and near cache around it.
    pub fn store(&self) -> &dyn TokenStore {
        &*self.0.store
    }

    pub(crate) fn refreshes(&self) -> &Refreshes {
        &self.0.refreshes
    }

    /// Publishes, in a task of its own, that other servers must drop their near-cache entries of an account.
    pub(crate) fn tell(&self, account: &AccountKey) {
        self.0.coordinator.tell(account);
    }

    /// Returns how a sign-out evicts: with an invalidation message if servers have near caches.
    fn evicting(&self, keys: &Keys) -> EvictOptions {
        let options = EvictOptions::at(keys.latest).not_before_lifetime(self.not_before_lifetime());
        if keys.longest_near_cache_life.is_zero() {
            return options;
        }
        self.0.coordinator.start();
        options.published_by(self.0.coordinator.server())
    }

    /// Returns how long a sign-out is remembered: longer than any sign-in or assertion that it may have to refuse.
    fn not_before_lifetime(&self) -> Duration {
        let longest = self.0.settings.longest_assertion;
        longest.map_or(NOT_BEFORE_LIFETIME, |longest| {
            NOT_BEFORE_LIFETIME.max(longest + NOT_BEFORE_SPARE)
        })
    }

    pub(crate) fn keys(&self) -> Result<Keys> {
        self.0.state.keys(self.store())
    }

    pub(crate) async fn fresh_keys(&self) -> Result<Keys> {
        self.0.state.fresh_keys(self.store(), &self.0.secret).await
    }

    /// Runs a task that continues when the caller is dropped (G4).
    pub(crate) async fn in_own_task<T: Send + 'static>(
        &self,
        operation: &'static str,
        task: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        // Boxed, because the compiler fails on futures that are nested too deep.
        let task: Pin<Box<dyn Future<Output = Result<T>> + Send>> = Box::pin(in_same_call(task));
        match runtime(operation)?.spawn(in_current_span(task)).await {
            Ok(result) => result,
            Err(ended) => Err(Error::new(crate::ErrorKind::Unexpected, operation)
                .message("its task was stopped when the tokio runtime shut down")
                .with_source(ended)
                .maybe_applied()),
        }
    }
}

/// Returns the tokio runtime for detached tasks.
pub(crate) fn runtime(operation: &'static str) -> Result<Handle> {
    Handle::try_current().map_err(|_| {
        Error::misuse(
            operation,
            "there is no tokio runtime here; call it in a task of one",
        )
    })
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("store", &self.0.store)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
