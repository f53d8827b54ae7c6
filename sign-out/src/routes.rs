use std::{fmt, sync::Arc};

use futures_core::future::BoxFuture;
use futures_util::future::join_all;
use http::HeaderValue;
use token_cache_core::{TokenCache, Wait};
use tokio::sync::Semaphore;
use url::Url;

use crate::{
    ClientRegistration, KeyFetchError, SignOutEvent, SignOutRoutesBuilder, SignOutScopeKind,
    TicketSource, Timeouts, keys::Provider, pending_verification::PendingVerification,
    report::MatchCounts, running_sign_outs::RunningSignOuts, state_cookies::StateCookies,
};

/// What an app is told after every sign-out.
pub(crate) type Hook = Arc<dyn Fn(SignOutEvent) -> BoxFuture<'static, ()> + Send + Sync>;

/// The sign-out of an app over the web: what its routes do, whatever framework they are mounted in. Cheap to clone.
///
/// Whoever asks, the app or a provider, takes one path: the sessions end in the cache, on every server, for good (G1), in a task
/// of its own that goes on when the asker hangs up (G4).
///
/// Requests are answered on a tokio runtime with its timer, such as those of axum and actix-web.
#[derive(Clone)]
pub struct SignOutRoutes(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) cache: TokenCache,
    pub(crate) clients: Vec<ClientRegistration>,
    /// The provider of each client, at the same place.
    pub(crate) providers: Vec<Provider>,
    pub(crate) scope: SignOutScopeKind,
    pub(crate) after: String,
    pub(crate) timeouts: Timeouts,
    pub(crate) wait: Wait,
    pub(crate) hook: Option<Hook>,
    pub(crate) running: RunningSignOuts,
    pub(crate) match_counts: MatchCounts,
    pub(crate) pending: PendingVerification,
    /// How many issuers the clients have.
    pub(crate) issuers: usize,
    /// How many more evictions may be under way for requests that prove nothing.
    pub(crate) unauthenticated: Arc<Semaphore>,
    pub(crate) ticket_source: Arc<dyn TicketSource>,
    /// The app, as its users know it: where providers send them back to.
    pub(crate) app_urls: Vec<Url>,
    /// What the provider is to send back; `None` if no client has a `post_logout_redirect_uri`.
    pub(crate) state: Option<StateCookies>,
    /// The policy of answers to front-channel requests.
    pub(crate) frame_policy: HeaderValue,
}

impl SignOutRoutes {
    /// Settings of the routes for the sessions of `cache`.
    pub fn builder(cache: TokenCache) -> SignOutRoutesBuilder {
        SignOutRoutesBuilder::new(cache)
    }

    /// Fetches the providers' keys, and waits for them, for some seconds at the most.
    ///
    /// [`build`](crate::SignOutRoutesBuilder::build) has them fetched as well, in the background. Call this to know before serving
    /// whether they can be fetched. Keys that cannot be fetched now are fetched again when a message needs them.
    ///
    /// # Errors
    /// Whose keys can't be had now, and why.
    pub async fn fetch_keys(&self) -> Result<(), KeyFetchError> {
        let fetching = self.clients().map(|(client, provider)| async {
            let fetched = provider.fetch_keys().await;
            Some((client.issuer.clone(), fetched.err()?))
        });
        let failed = join_all(fetching).await.into_iter().flatten();
        KeyFetchError::from_failures(failed.collect())
    }

    /// The clients, each with its provider.
    pub(crate) fn clients(&self) -> impl Iterator<Item = (&ClientRegistration, &Provider)> {
        self.0.clients.iter().zip(&self.0.providers)
    }

    pub(crate) fn cache(&self) -> &TokenCache {
        &self.0.cache
    }

    pub(crate) fn ticket_source(&self) -> &dyn TicketSource {
        &*self.0.ticket_source
    }
}

impl fmt::Debug for SignOutRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignOutRoutes")
            .field("clients", &self.0.clients)
            .field("ends", &self.0.scope)
            .finish_non_exhaustive()
    }
}
