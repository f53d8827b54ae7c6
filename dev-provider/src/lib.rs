//! An OpenID provider for development and tests. **It is never for production**: any name signs in, without a password.
//!
//! It listens at a loopback address only, keeps all state in memory, and ends when it is dropped. Apps are clients of two kinds:
//!
//! - *Registered clients*, of the list that it is started with. What they send must be what is registered, as at a real provider.
//! - *Any other app on this machine*, if [`Settings::loopback_apps`] is `true`. A tutorial's app needs no registration. It chooses any
//!   `client_id`, has no secret or any, and may leave PKCE out. Its `redirect_uri` and `post_logout_redirect_uri` are of the form
//!   `http://localhost:*`, `http://127.0.0.1:*` or `http://[::1]:*`. All other URIs are refused. At a sign-out it gets a logout token at
//!   `/backchannel-logout` of its redirect URI's origin.
//!
//! ```no_run
//! use std::net::TcpListener;
//! use token_cache_dev_provider::{DevelopmentProvider, Settings};
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = DevelopmentProvider::start(TcpListener::bind("127.0.0.1:9400")?, [], Settings::default())?;
//! println!("{}", provider.issuer());
//! # Ok(()) }
//! ```
//!
//! `cargo run -p token-cache-dev-provider` is that as a program. Tests make it fail: see [`Faults`].

mod authorize;
mod bounded;
mod clients;
mod crypto;
mod end_session;
mod error;
mod events;
mod faults;
mod grants;
mod http;
mod logout;
mod pages;
mod request;
mod routes;
mod server;
mod sessions;
mod state;
mod token;

use std::{fmt, net::TcpListener, sync::Arc};

use serde_json::Value;
use tokio::sync::broadcast;

use self::{clients::Clients, crypto::random_text, grants::Grant, state::Shared};
pub use self::{
    clients::RegisteredClient,
    error::ProviderError,
    events::{Counts, Event},
    faults::{AppRequest, Fault, Faults},
    state::Settings,
};

/// An OpenID provider for development. A user who types a name is signed in, by a real code flow.
///
/// It speaks OpenID Connect Core, Discovery, RP-Initiated, Back-Channel and Front-Channel Logout 1.0, and PKCE (RFC 7636). Refresh
/// tokens rotate, and a reuse is detected (RFC 9700 section 4.14.2). Tokens can be revoked (RFC 7009). Other grants are client
/// credentials (RFC 6749 section 4.4) and tokens on a user's behalf (RFC 8693, RFC 7523).
pub struct DevelopmentProvider {
    shared: Arc<Shared>,
}

impl DevelopmentProvider {
    /// Serves these apps, and others as the settings say. Needs a Tokio runtime around it.
    ///
    /// # Errors
    /// The listener or a client's URI is not at a loopback address, a client's registration can't be used, no Tokio runtime is there,
    /// or the system has no randomness.
    pub fn start(
        listener: TcpListener,
        clients: impl IntoIterator<Item = RegisteredClient>,
        settings: Settings,
    ) -> Result<Self, ProviderError> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|_| ProviderError::new("the development provider needs a Tokio runtime"))?;
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(ProviderError::new(format!(
                "the development provider signs in every user without a password, so it does not listen at {address}: give it a loopback address",
            )));
        }
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let clients = Clients::new(clients, settings.loopback_apps)?;
        let shared = Arc::new(Shared::new(address, clients, settings)?);
        let (router, door) = (routes::routes(&shared), shared.faults.door());
        runtime.spawn(server::serve(listener, router, door));
        Ok(Self { shared })
    }

    /// Returns the issuer: `http://127.0.0.1:PORT`. Requests must name this very host.
    pub fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// Signs a user in without a browser. Returns the token response that the app gets for its code.
    ///
    /// # Errors
    /// The client is unknown, or the system has no randomness.
    pub fn sign_in(&self, client: &str, name: &str, scope: &str) -> Result<Value, ProviderError> {
        let failed = |error: error::OAuthError| ProviderError::new(error.description);
        if self.shared.clients.client(client).is_none() {
            return Err(ProviderError::new(format!(
                "{client:?} is not registered at the development provider"
            )));
        }
        let grant = Grant {
            client: client.to_owned(),
            name: name.to_owned(),
            subject: sessions::subject_of(name),
            sid: random_text().map_err(failed)?,
            auth_time: state::now(),
            scope: scope.to_owned(),
            nonce: None,
        };
        let lifetime = self.shared.settings().access_token_lifetime;
        let issued = self
            .shared
            .grants()
            .begin_with_tokens(grant.clone(), lifetime, true);
        let issued = issued.map_err(failed)?;
        let tokens = token::tokens(&self.shared, &grant, issued, None).map_err(failed)?;
        serde_json::to_value(tokens).map_err(|error| ProviderError::new(error.to_string()))
    }

    /// Returns `true` if this access or refresh token would still be accepted.
    pub fn accepts(&self, token: &str) -> bool {
        self.shared.grants().live(token).is_some()
    }

    /// Returns every access and refresh token of the last grants. A test of leaks searches for them.
    pub fn issued_tokens(&self) -> Vec<String> {
        self.shared.grants().issued()
    }

    /// Returns what makes it fail, and what apps have requested.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Changes the settings, from the next request on. Whether apps need a registration is fixed at the start.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.shared.settings());
    }

    /// Returns the counts so far.
    pub fn counts(&self) -> Counts {
        self.shared.journal.counts()
    }

    /// Returns the events from now on. A receiver that falls 256 events behind misses the oldest.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.shared.journal.subscribe()
    }
}

impl fmt::Debug for DevelopmentProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevelopmentProvider")
            .field("issuer", &self.shared.issuer)
            .finish_non_exhaustive()
    }
}

impl Drop for DevelopmentProvider {
    fn drop(&mut self) {
        self.shared.faults.end();
    }
}
