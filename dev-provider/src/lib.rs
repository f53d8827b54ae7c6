//! An OpenID provider for development.

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
mod sessions;
mod state;
mod token;

use std::{fmt, net::TcpListener, sync::Arc};

use tokio::sync::{broadcast, oneshot};

use self::{clients::Clients, state::Shared};
pub use self::{
    clients::RegisteredClient,
    error::StartError,
    events::{Counts, Event},
    state::Settings,
};

/// An OpenID provider for development. A user who types a name is signed in, by a real code flow.
///
/// It speaks OpenID Connect Core, Discovery, RP-Initiated, Back-Channel and Front-Channel Logout 1.0, PKCE (RFC 7636), rotation of
/// refresh tokens with reuse detection (RFC 9700 section 4.14.2) and revocation (RFC 7009). It listens at a loopback address
/// only, keeps nothing, and ends when it is dropped.
pub struct DevelopmentProvider {
    shared: Arc<Shared>,
    _until_dropped: oneshot::Sender<()>,
}

impl DevelopmentProvider {
    /// Serves one app, with the usual settings. Needs a Tokio runtime around it.
    ///
    /// # Errors
    /// As [`start_with`](Self::start_with).
    pub fn start(listener: TcpListener, client: RegisteredClient) -> Result<Self, StartError> {
        Self::start_with(listener, vec![client], Settings::default())
    }

    /// Serves these apps.
    ///
    /// # Errors
    /// Where the listener or a client's URI is not at a loopback address, a client's registration can't be used, no Tokio runtime
    /// is there, or the system has no randomness.
    pub fn start_with(
        listener: TcpListener,
        clients: Vec<RegisteredClient>,
        settings: Settings,
    ) -> Result<Self, StartError> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|_| StartError::new("the development provider needs a Tokio runtime"))?;
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(StartError::new(format!(
                "the development provider signs in every user without a password, so it does not listen at {address}: give it a loopback address",
            )));
        }
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let clients = Clients::new(clients)?;
        let shared = Arc::new(Shared::new(address, clients, settings)?);
        let (until_dropped, dropped) = oneshot::channel::<()>();
        let server =
            axum::serve(listener, routes::routes(&shared)).with_graceful_shutdown(async move {
                // Nothing is ever sent: it ends when the sender is dropped.
                let _ = dropped.await;
            });
        runtime.spawn(server.into_future());
        Ok(Self {
            shared,
            _until_dropped: until_dropped,
        })
    }

    /// The issuer: `http://127.0.0.1:PORT`. Requests must name this very host.
    pub fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// From now on refreshes are carried out, but their answers wait for [`release_refreshes`](Self::release_refreshes).
    pub fn hold_refreshes(&self) {
        self.shared.gate.close();
    }

    /// Lets all refreshes be answered, those that wait and those to come.
    pub fn release_refreshes(&self) {
        self.shared.gate.open();
    }

    /// Returns once a refresh has been carried out whose answer waits.
    pub async fn refresh_held(&self) {
        self.shared.gate.somebody_waits().await;
    }

    /// Returns the counts of requests so far.
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
        // A connection ends once its request is answered, so none may wait any longer.
        self.shared.gate.open();
    }
}
