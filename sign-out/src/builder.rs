use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use futures_core::future::BoxFuture;
use token_cache_core::{TokenCache, Wait};
use tokio::sync::Semaphore;

use crate::{
    ClientRegistration, ConfigError, FrontChannelParameters, SignOutEvent, SignOutRoutes,
    SignOutScopeKind, TicketCookie, TicketSource, Timeouts,
    client_registration::parse_https_url,
    frame_ancestors,
    keys::{HttpClient, Provider},
    pending_verification::PendingVerification,
    report::MatchCounts,
    routes::{Hook, Inner},
    running_sign_outs::RunningSignOuts,
    state_cookies::StateCookies,
};

/// How many evictions may be under way for front-channel requests, which anybody can send.
const MAX_UNAUTHENTICATED: usize = 1_000;

/// How long a user who signs out may look at the provider's page.
const STATE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Settings of [`SignOutRoutes`].
#[must_use]
pub struct SignOutRoutesBuilder {
    cache: TokenCache,
    clients: Vec<ClientRegistration>,
    scope: SignOutScopeKind,
    after: String,
    timeouts: Timeouts,
    wait: Wait,
    hook: Option<Hook>,
    ticket_source: Option<Arc<dyn TicketSource>>,
    certificates: Vec<u8>,
    keys_ahead: bool,
}

impl SignOutRoutesBuilder {
    pub(crate) fn new(cache: TokenCache) -> Self {
        Self {
            cache,
            clients: Vec::new(),
            scope: SignOutScopeKind::default(),
            after: "/".to_owned(),
            timeouts: Timeouts::default(),
            wait: Wait::Everywhere,
            hook: None,
            ticket_source: None,
            certificates: Vec::new(),
            keys_ahead: true,
        }
    }

    /// Adds a registration: at another provider, or another one at the same. The first is the one that users without a session
    /// are sent to.
    pub fn client(mut self, client: ClientRegistration) -> Self {
        self.clients.push(client);
        self
    }

    /// What the app's own sign-out ends: the account, unless said.
    pub fn scope(mut self, scope: SignOutScopeKind) -> Self {
        self.scope = scope;
        self
    }

    /// Where a user is sent who has signed out here and at the provider: a path of this app, `/` unless said.
    pub fn after_sign_out(mut self, path: impl Into<String>) -> Self {
        self.after = path.into();
        self
    }

    /// Where the app keeps its tickets: in the cookie [`TicketCookie::host`]`("ticket")` unless said.
    pub fn ticket_source(mut self, ticket_source: impl TicketSource) -> Self {
        self.ticket_source = Some(Arc::new(ticket_source));
        self
    }

    /// Trusts these certificates too (PEM, one or several) when a provider is asked for its documents, besides the system's.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates = pem.into();
        self
    }

    /// Whether [`build`](Self::build) starts a task that fetches the providers' keys and renews them every ten minutes, so that no
    /// message has to wait for them: `true` by default. It needs to be called on a tokio runtime; elsewhere, and with `false`, keys
    /// are fetched when a message needs them.
    pub fn prefetch_keys(mut self, yes: bool) -> Self {
        self.keys_ahead = yes;
        self
    }

    /// How long a provider's message may take.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Whether sign-outs wait until no server can serve a local copy of what has ended: they do, unless said. Without it they are
    /// answered at once, also where copies live for longer than a provider waits, and **are not final when they are answered**.
    pub fn wait(mut self, wait: Wait) -> Self {
        self.wait = wait;
        self
    }

    /// Calls this after every sign-out that these routes carried out or failed to, in a task of its own: once for each, also
    /// where whoever asked has hung up. A panic in it stops nothing else.
    pub fn on_sign_out<F, Fut>(mut self, hook: F) -> Self
    where
        F: Fn(SignOutEvent) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.hook = Some(Arc::new(move |signed_out| {
            Box::pin(hook(signed_out)) as BoxFuture<'static, ()>
        }));
        self
    }

    /// Checks the settings. It does no I/O itself; on a tokio runtime it starts the task of
    /// [`prefetch_keys`](Self::prefetch_keys).
    ///
    /// # Errors
    /// No client, or two of one name; an issuer or an address that is no https URL (http is for loopback); bounds that a
    /// provider would not wait for, or that are not enough for local copies to go; a path after the sign-out that leads out of the app; a front channel without issuers for
    /// several clients.
    pub fn build(self) -> Result<SignOutRoutes, ConfigError> {
        if self.clients.is_empty() {
            return Err(ConfigError::new(
                "there is no client; add one with `client(ClientRegistration::new(issuer, client_id))`",
            ));
        }
        let mut clients: Vec<ClientRegistration> = Vec::new();
        for client in self.clients {
            let client = client.validated()?;
            let same =
                |other: &ClientRegistration| other.issuer == client.issuer && other.id == client.id;
            if clients.iter().any(same) {
                return Err(ConfigError::new(format!(
                    "the client {:?} of {:?} is there twice",
                    client.id, client.issuer,
                )));
            }
            clients.push(client);
        }
        if clients.len() > 1
            && clients
                .iter()
                .any(|client| client.front_channel_parameters == FrontChannelParameters::SidOnly)
        {
            return Err(ConfigError::new(
                "`FrontChannelParameters::SidOnly` needs routes with one client: with several, nothing tells whose `sid` it is",
            ));
        }
        let app_urls = clients
            .iter()
            .filter_map(|client| client.post_logout_redirect_uri.as_deref())
            .map(|back| parse_https_url("the post_logout_redirect_uri", back))
            .collect::<Result<Vec<_>, _>>()?;
        // One that only TLS carries would not come back to an address without.
        let returns_to = app_urls
            .iter()
            .find(|url| url.scheme() == "http")
            .or(app_urls.first());
        let state = returns_to
            .map(|url| StateCookies::for_url(url.as_str(), "signing-out"))
            .transpose()?
            .map(|cookies| cookies.max_age(STATE_LIFETIME));
        let ticket_source = match self.ticket_source {
            Some(ticket_source) => ticket_source,
            None => Arc::new(TicketCookie::host("ticket")?),
        };
        if !is_local_path(&self.after) {
            return Err(ConfigError::new(format!(
                "after a sign-out {:?} is no path of this app, such as \"/\"",
                self.after,
            )));
        }
        let longest_copy_life = self
            .cache
            .longest_copy_life()
            .map_err(|error| ConfigError::new(error.to_string()))?;
        let timeouts = self
            .timeouts
            .validated()?
            .for_near_cache(longest_copy_life, self.wait)?;
        let http = HttpClient::new(&self.certificates)?;
        let providers = clients
            .iter()
            .map(|client| Provider::new(client, &http, timeouts.keys))
            .collect::<Result<_, _>>()?;
        for client in clients.iter().filter(|client| client.session_required) {
            self.cache.expect_sid(&client.issuer);
        }
        let issuers: HashSet<&str> = clients.iter().map(|it| it.issuer.as_str()).collect();
        let issuers = issuers.len();
        let routes = SignOutRoutes(Arc::new(Inner {
            cache: self.cache,
            frame_policy: frame_ancestors::policy(&clients)?,
            clients,
            providers,
            scope: self.scope,
            after: self.after,
            timeouts,
            wait: self.wait,
            hook: self.hook,
            running: RunningSignOuts::default(),
            match_counts: MatchCounts::default(),
            pending: PendingVerification::default(),
            issuers,
            unauthenticated: Arc::new(Semaphore::new(MAX_UNAUTHENTICATED)),
            ticket_source,
            app_urls,
            state,
        }));
        if self.keys_ahead {
            prefetch_keys(&routes);
        }
        Ok(routes)
    }
}

/// Keeps the providers' keys at hand while the routes are in use.
fn prefetch_keys(routes: &SignOutRoutes) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return;
    };
    for provider in &routes.0.providers {
        let routes = Arc::downgrade(&routes.0);
        if let Some(refreshing) = provider.refresh_in_background(move || routes.strong_count() > 0)
        {
            runtime.spawn(refreshing);
        }
    }
}

/// True for what a browser takes for a path of the same origin.
pub(crate) fn is_local_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path
            .chars()
            .any(|c| c == '\\' || c.is_ascii_control() || !c.is_ascii())
}

impl fmt::Debug for SignOutRoutesBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignOutRoutesBuilder")
            .field("clients", &self.clients)
            .field("ends", &self.scope)
            .field("after", &self.after)
            .field("bounds", &self.timeouts)
            .finish_non_exhaustive()
    }
}
