use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use futures_core::future::BoxFuture;
use token_cache_core::{TokenCache, Wait};
use tokio::sync::Semaphore;

use crate::{
    ClaimRequirement, ClientRegistration, ConfigError, FrontChannelParameters, SignOutEvent,
    SignOutRoutes, SignOutScopeKind, TicketCookie, TicketSource, Timeouts,
    client_registration::parse_https_url,
    frame_ancestors,
    keys::{HttpClient, Provider},
    pending_verification::PendingVerification,
    report::MatchCounts,
    routes::{Hook, Inner},
    running_sign_outs::RunningSignOuts,
    state_cookies::StateCookies,
};

/// The maximum number of running sign-outs for front-channel requests, which anyone can send.
const MAX_UNAUTHENTICATED: usize = 1_000;

/// How long a user may stay on the provider's logout page.
const STATE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// When the providers' signing keys are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyFetch {
    /// In a background task, before a message needs them.
    Background,
    /// When a message needs them.
    OnDemand,
}

/// Configures and builds [`SignOutRoutes`].
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
    key_fetch: KeyFetch,
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
            key_fetch: KeyFetch::Background,
        }
    }

    /// Adds a registration at a provider. Call it again for another provider, or for another registration at the same
    /// provider.
    ///
    /// Users without a session are sent to the provider of the first registration.
    pub fn client(mut self, client: ClientRegistration) -> Self {
        self.clients.push(client);
        self
    }

    /// Sets which sessions the app's own sign-out ends. The default is [`SignOutScopeKind::Account`].
    pub fn scope(mut self, scope: SignOutScopeKind) -> Self {
        self.scope = scope;
        self
    }

    /// Sets the path of this app to which a user is redirected after the sign-out. The default is `/`.
    pub fn after_sign_out(mut self, path: impl Into<String>) -> Self {
        self.after = path.into();
        self
    }

    /// Sets where the app keeps its tickets. The default is the cookie [`TicketCookie::host`]`("ticket")`.
    pub fn ticket_source(mut self, ticket_source: impl TicketSource) -> Self {
        self.ticket_source = Some(Arc::new(ticket_source));
        self
    }

    /// Trusts additional root certificates, in PEM format, for requests to the providers.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates = pem.into();
        self
    }

    /// Sets when the providers' signing keys are fetched. The default is [`KeyFetch::Background`].
    ///
    /// By default [`build`](Self::build) starts a task that fetches the keys and renews them every ten minutes, so messages need
    /// not wait for them. It starts the task only on a tokio runtime. Otherwise keys are fetched when a message needs them.
    pub fn key_fetch(mut self, key_fetch: KeyFetch) -> Self {
        self.key_fetch = key_fetch;
        self
    }

    /// Sets the time limits for a provider's message.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets whether a sign-out waits until no server can serve its sessions from a near cache. By default it waits.
    ///
    /// With [`Wait::None`], a sign-out returns at once and **can return before it is final**.
    pub fn wait(mut self, wait: Wait) -> Self {
        self.wait = wait;
        self
    }

    /// Calls `hook` after every sign-out that these routes carried out or failed to carry out.
    ///
    /// It is called once for each sign-out, in the task of the sign-out, even if the client has disconnected. A panic
    /// in the hook affects nothing else.
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

    /// Validates the settings and builds the routes.
    ///
    /// No I/O happens here. On a tokio runtime, `build` starts the task of [`KeyFetch::Background`].
    ///
    /// # Errors
    /// [`ConfigError`] in these cases:
    /// - There is no client, or the same client was added twice.
    /// - An issuer or another URL is neither `https` nor `http` at a loopback address.
    /// - The timeouts exceed what providers wait for, or are too short for the near caches.
    /// - The path after the sign-out is not a path of this app.
    /// - Several clients are added, and one of them uses [`FrontChannelParameters::SidOnly`].
    pub fn build(self) -> Result<SignOutRoutes, ConfigError> {
        if self.clients.is_empty() {
            return Err(ConfigError::new(
                "no client is configured; add one with `client(ClientRegistration::new(issuer, client_id))`",
            ));
        }
        let mut clients: Vec<ClientRegistration> = Vec::new();
        for client in self.clients {
            let client = client.validated()?;
            let same =
                |other: &ClientRegistration| other.issuer == client.issuer && other.id == client.id;
            if clients.iter().any(same) {
                return Err(ConfigError::new(format!(
                    "the client {:?} of the issuer {:?} was added twice; remove one of them",
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
                "`FrontChannelParameters::SidOnly` needs routes with one client, because the requests do not name the issuer; remove the other clients",
            ));
        }
        let app_urls = clients
            .iter()
            .filter_map(|client| client.post_logout_redirect_uri.as_deref())
            .map(|back| parse_https_url("the post_logout_redirect_uri", back))
            .collect::<Result<Vec<_>, _>>()?;
        // A cookie that requires TLS is not sent to a plain HTTP address.
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
                "`after_sign_out` got {:?}, which is not a path of this app; pass a path such as \"/\"",
                self.after,
            )));
        }
        let longest_near_cache_life = self
            .cache
            .longest_near_cache_life()
            .map_err(|error| ConfigError::new(error.to_string()))?;
        let timeouts = self
            .timeouts
            .validated()?
            .for_near_cache(longest_near_cache_life, self.wait)?;
        let http = HttpClient::new(&self.certificates)?;
        let providers = clients
            .iter()
            .map(|client| Provider::new(client, &http, timeouts.keys))
            .collect::<Result<_, _>>()?;
        for client in clients
            .iter()
            .filter(|client| client.sid_claim == ClaimRequirement::Required)
        {
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
        if self.key_fetch == KeyFetch::Background {
            prefetch_keys(&routes);
        }
        Ok(routes)
    }
}

/// Starts tasks that renew the providers' keys while the routes are in use.
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

/// Returns `true` if browsers treat `path` as a path of the same origin.
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
