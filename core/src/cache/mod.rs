// The order of these modules is the order in which the methods of `TokenCache` and `Session` are documented.
mod builder;

mod sign_in;

mod session;

mod sign_out;

mod application;
mod background;
mod on_behalf_of;

mod accounts;
mod bulk;
mod encryption_stats;
mod expected_sids;
mod namespace;
mod near_cache;
mod store_path;
mod token_warnings;

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::runtime::Handle;

pub(crate) use self::namespace::Keys;
pub(crate) use self::store_path::StorePath;
pub use self::{
    builder::TokenCacheBuilder,
    bulk::{BulkCheckpoint, BulkProgress, BulkSignOut},
    session::Session,
    sign_in::SignIn,
    sign_out::SignOutScope,
};
use self::{expected_sids::ExpectedSids, namespace::NamespaceState, token_warnings::TokenWarnings};
use crate::store::backend::in_same_call;
use crate::{
    Diagnostic, Error, EvictOptions, KeyProvider, NOT_BEFORE_LIFETIME, RefreshPolicy, Result,
    Secret, ServerId, SidMeaning, Timestamp, TokenStore,
    crypto::{Ring, UnreadableEntries},
    refresh::Refreshes,
    telemetry::in_current_span,
    util::detached::run_detached,
};

/// An app server's handle to the cache that all servers share. It is cheap to clone; a process needs one.
///
/// Most apps need these calls:
/// 1. [`start_sign_in`](Self::start_sign_in), before the redirect to the provider.
/// 2. [`sign_in`](Self::sign_in) in the callback, which begins a session, and [`Session::ticket`], for the app's own session cookie.
/// 3. [`resume`](Self::resume) in each later request, which returns the session of the ticket.
/// 4. [`Session::put`] and [`Session::get`], which store and read tokens, and [`Session::get_or_refresh`], which also refreshes them.
/// 5. [`sign_out`](Self::sign_out), which ends sessions on every server.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// use token_cache::{AccountId, EntryKey, SignIn, TokenCache, TokenSet};
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
    path: Arc<StorePath>,
    server: ServerId,
    secret: Secret,
    ring: Arc<Ring>,
    key_provider: Option<Arc<dyn KeyProvider>>,
    state: NamespaceState,
    expected_sids: ExpectedSids,
    token_warnings: TokenWarnings,
    settings: Settings,
    refreshes: Refreshes,
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
}

impl TokenCache {
    /// Returns the current time on the store's clock, as an estimate that is never too late. Does no I/O.
    ///
    /// Call it before a token request is sent to the provider. Then pass the result as `sent_at` to
    /// [`TokenSet::from_response`](crate::TokenSet::from_response), which counts the lifetime of the new tokens from it. Do not use the
    /// machine's own clock (`SystemTime::now()`): if that is ahead, an expired token counts as fresh.
    ///
    /// An app server estimates the store's clock from the store's answers, to within a few milliseconds (up to a second on DynamoDB). The
    /// store's clock shows a time between the results of `now` and [`latest_now`](Self::latest_now). An expiry that is counted from `now`
    /// is therefore never later than the real one.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the namespace in the store now belongs to another secret than this cache's.
    pub fn now(&self) -> Result<Timestamp> {
        Ok(self.keys()?.earliest)
    }

    /// Returns the current time on the store's clock, as an estimate that is never too early. Does no I/O.
    ///
    /// Use it to check whether a time from the provider, such as an `iat`, is in the future. A time later than `latest_now` is certainly in
    /// the future on the store's clock. To count the lifetime of new tokens, use [`now`](Self::now).
    ///
    /// # Errors
    /// As [`now`](Self::now).
    pub fn latest_now(&self) -> Result<Timestamp> {
        Ok(self.keys()?.latest)
    }

    /// Returns the diagnostics of the store and of this server's key ring. The list is empty if there is nothing to report. Does no I/O.
    ///
    /// Examples are a setting of the store that weakens a promise, a missing permission, and a key file that other users may read. Opening
    /// the cache also logs each diagnostic once.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
    /// let cache = token_cache::TokenCache::in_memory().await?;
    /// assert_eq!(cache.diagnostics(), []);
    /// # Ok(()) }
    /// ```
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut diagnostics = self.store().diagnostics();
        diagnostics.extend_from_slice(&self.0.ring.keys().diagnostics);
        diagnostics
    }

    /// Returns the store that this cache uses, for tools that call the methods of [`TokenStore`] directly. Apps do not need it.
    ///
    /// A tool that calls it bypasses the encryption and the near cache: entries in it are encrypted.
    pub fn store(&self) -> &dyn TokenStore {
        self.0.path.store()
    }

    pub(crate) fn path(&self) -> &Arc<StorePath> {
        &self.0.path
    }

    pub(crate) fn refreshes(&self) -> &Refreshes {
        &self.0.refreshes
    }

    /// Returns how a sign-out evicts: with an invalidation message if servers have near caches.
    fn evicting(&self, keys: &Keys) -> EvictOptions {
        let options = EvictOptions::at(keys.latest).not_before_lifetime(self.not_before_lifetime());
        if keys.longest_near_cache_life.is_zero() {
            return options;
        }
        self.0.path.near_cache().start();
        options.published_by(self.0.server)
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
    pub(crate) async fn run_detached<T: Send + 'static>(
        &self,
        operation: &'static str,
        task: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        // Boxed, because the compiler fails on futures that are nested too deep.
        let task: Pin<Box<dyn Future<Output = Result<T>> + Send>> = Box::pin(in_same_call(task));
        let runtime = Handle::try_current().map_err(|_| Error::no_runtime(operation))?;
        match run_detached(&runtime, in_current_span(task)).await {
            Ok(result) => result,
            Err(stopped) => Err(Error::new(crate::ErrorKind::Unexpected, operation)
                .message(stopped.to_string())
                .with_source(stopped)
                .maybe_applied()),
        }
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("store", &self.store())
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
