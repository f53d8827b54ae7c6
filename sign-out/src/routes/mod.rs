mod back_channel;
mod builder;
mod event;
mod front_channel;
mod provider_message;
mod report;
mod request_session;
mod rp_initiated;
mod shared_signals;
mod sign_out_task;
mod verify;

use std::{fmt, sync::Arc};

use futures_core::future::BoxFuture;
use futures_util::future::join_all;
use http::HeaderValue;
use token_cache_core::{SignOutScopeKind, TokenCache, Wait};
use tokio::sync::Semaphore;
use url::Url;

pub(crate) use self::request_session::{RequestSession, is_ended, is_unreadable_ticket};
pub use self::{
    builder::SignOutRoutesBuilder,
    event::{SignOutCause, SignOutEvent},
    rp_initiated::id_token_key,
};
use self::{provider_message::ProviderMessages, report::MatchCounts};
use crate::{
    client::ClientRegistration,
    keys::{KeyFetchError, Provider},
    tickets::{StateCookies, TicketSource},
    timeouts::Timeouts,
};

/// The app's hook, which is called after every sign-out.
pub(crate) type Hook = Arc<dyn Fn(SignOutEvent) -> BoxFuture<'static, ()> + Send + Sync>;

/// The sign-out routes of an app, for any web framework: handlers that end sessions when the user or a provider signs
/// out. An app builds them once, with [`builder`](Self::builder), and mounts them in its router. A clone shares the
/// same settings and state.
///
/// Mount all routes with `axum_routes` (feature `axum-0_8`) or `actix::ActixSignOut` (feature `actix-web-4`). In
/// another framework, serve each path of [`paths`](crate::paths) with its handler, such as [`logout`](Self::logout).
///
/// A sign-out by the app or by a provider ends the sessions in the cache. If the response reports success, the sign-out
/// is final on every server (G1), unless [`wait`](SignOutRoutesBuilder::wait) is set to [`Wait::None`]. Each sign-out
/// runs in its own task, which continues when the browser or the provider disconnects. So no sign-out is lost (G4).
///
/// The handlers must run on a tokio runtime with a timer, which axum and actix-web provide. Outside one, a sign-out
/// panics.
#[derive(Clone)]
pub struct SignOutRoutes(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) cache: TokenCache,
    pub(crate) clients: Vec<ClientRegistration>,
    /// The provider of each client, in the order of `clients`.
    pub(crate) providers: Vec<Provider>,
    pub(crate) scope: SignOutScopeKind,
    pub(crate) after: String,
    pub(crate) timeouts: Timeouts,
    pub(crate) wait: Wait,
    pub(crate) hook: Option<Hook>,
    pub(crate) messages: ProviderMessages,
    pub(crate) match_counts: MatchCounts,
    /// Permits for sign-outs by unauthenticated requests.
    pub(crate) unauthenticated: Arc<Semaphore>,
    pub(crate) ticket_source: Arc<dyn TicketSource>,
    /// The public URLs of the app, to which providers send users back.
    pub(crate) app_urls: Vec<Url>,
    /// The cookies for the `state` of a logout request. It is `None` if no client has a `post_logout_redirect_uri`.
    pub(crate) state: Option<StateCookies>,
    /// The `Content-Security-Policy` of responses to front-channel requests.
    pub(crate) frame_policy: HeaderValue,
}

impl SignOutRoutes {
    /// Creates a builder for [`SignOutRoutes`] that end the sessions of `cache`. Add at least one
    /// [`client`](SignOutRoutesBuilder::client), and then call [`build`](SignOutRoutesBuilder::build), which returns an
    /// error without a client.
    pub fn builder(cache: TokenCache) -> SignOutRoutesBuilder {
        SignOutRoutesBuilder::new(cache)
    }

    /// Fetches the signing keys of every provider whose keys are not cached. These keys verify the providers' logout
    /// messages. Keys that are set with [`ClientRegistration::jwks`] are not fetched. Keys that have not arrived after
    /// 15 seconds count as not fetched.
    ///
    /// Call this method before the app serves requests, to check that the keys can be fetched. The call is optional. By
    /// default, [`build`](SignOutRoutesBuilder::build) starts to fetch the keys in the background, and a message whose
    /// keys are not cached causes a fetch too.
    ///
    /// # Errors
    /// [`KeyFetchError`] if the keys of at least one provider are not cached and cannot be fetched now. It lists the
    /// issuers. The routes work nevertheless, and fetch these keys later.
    pub async fn fetch_keys(&self) -> Result<(), KeyFetchError> {
        let fetching = self.clients().map(|(client, provider)| async {
            let fetched = provider.fetch_keys().await;
            Some((client.issuer.clone(), fetched.err()?))
        });
        let failed = join_all(fetching).await.into_iter().flatten();
        KeyFetchError::from_failures(failed.collect())
    }

    /// Returns the clients, each with its provider.
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
            .field("scope", &self.0.scope)
            .finish_non_exhaustive()
    }
}
