use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use futures_core::future::BoxFuture;
use token_cache_core::{SignOutScopeKind, TokenCache, Wait};
use tokio::sync::Semaphore;

use super::{
    Hook, Inner, SignOutRoutes, event::SignOutEvent, front_channel::frame_policy,
    provider_message::ProviderMessages, report::MatchCounts,
};
use crate::{
    client::{ClaimRequirement, ClientRegistration, FrontChannelParameters},
    config::{ConfigError, is_local_path, parse_https_url},
    http::http_client,
    keys::{KeyFetch, Provider},
    tickets::{StateCookies, TicketCookie, TicketSource},
    timeouts::Timeouts,
};

/// The maximum number of running sign-outs for front-channel requests, which anyone can send.
const MAX_UNAUTHENTICATED: usize = 1_000;

/// How long a user may stay on the provider's logout page.
const STATE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// The settings of [`SignOutRoutes`]. Created by [`SignOutRoutes::builder`]. Only [`client`](Self::client) is required;
/// all other settings have defaults. [`build`](Self::build) creates the routes, or returns a [`ConfigError`] if a
/// setting is invalid.
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

    /// Adds the app's registration at a provider. Call it again for another provider, or for another registration at
    /// the same provider. [`build`](Self::build) returns an error if no registration was added, or if two have the same
    /// issuer and the same client id.
    ///
    /// If a browser without a live session requests the app's own sign-out ([`SignOutRoutes::logout`]), it is
    /// redirected to the provider of the first registration.
    pub fn client(mut self, client: ClientRegistration) -> Self {
        self.clients.push(client);
        self
    }

    /// Sets which sessions the app's own sign-out ([`SignOutRoutes::logout`]) ends. The request's ticket names a
    /// session, and the default, [`SignOutScopeKind::Account`], ends every session of its account. The setting does not
    /// affect sign-outs by a provider, whose messages name what they end.
    pub fn scope(mut self, scope: SignOutScopeKind) -> Self {
        self.scope = scope;
        self
    }

    /// Sets the path of this app to which a user is redirected after the app's own sign-out
    /// ([`SignOutRoutes::logout`]), such as `/goodbye`. The default is `/`.
    ///
    /// The redirect happens when the browser comes back from the provider. If the provider has no logout endpoint, it
    /// happens as soon as the sessions have ended. `path` must start with one `/` and be ASCII without backslashes and
    /// control characters. Otherwise [`build`](Self::build) returns an error.
    pub fn after_sign_out(mut self, path: impl Into<String>) -> Self {
        self.after = path.into();
        self
    }

    /// Sets where the sign-out routes and the [session check](SignOutRoutes::session_check) find the
    /// [`Ticket`](token_cache_core::Ticket) of a request. The default is the cookie [`TicketCookie::host`]`("ticket")`.
    ///
    /// Pass the [`TicketCookie`] with which the app stores the ticket at a sign-in. If the app stores tickets
    /// elsewhere, pass its own [`TicketSource`].
    pub fn ticket_source(mut self, ticket_source: impl TicketSource) -> Self {
        self.ticket_source = Some(Arc::new(ticket_source));
        self
    }

    /// Trusts root certificates in addition to those of the system, for HTTPS requests to the providers. By default
    /// only those of the system are trusted. `pem` contains one or several certificates in PEM format.
    /// [`build`](Self::build) returns an error if it is not PEM or contains no certificate. A second call replaces the
    /// first.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates = pem.into();
        self
    }

    /// Sets when the providers' signing keys are fetched. The default is [`KeyFetch::Background`]: a background task
    /// fetches them, so that they are cached when a logout message arrives.
    ///
    /// [`build`](Self::build) starts this background task only if it is called on a tokio runtime. Otherwise the keys
    /// are fetched as with [`KeyFetch::OnDemand`].
    pub fn key_fetch(mut self, key_fetch: KeyFetch) -> Self {
        self.key_fetch = key_fetch;
        self
    }

    /// Sets the time limits for a provider's message and for a sign-out. The default is [`Timeouts::default`]: 600 ms
    /// for fetching the provider's keys, and 1.2 s for the sign-out. [`build`](Self::build) returns an error if one of
    /// them is zero or their sum is not less than two seconds. It also returns one if the limit for the sign-out is too
    /// short for the near caches of the app servers, as [`Timeouts`] describes.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets whether the response to a sign-out waits until no app server can serve the ended sessions from its [near
    /// cache](token_cache_core::near_cache), a cache in the server's own memory. The default is [`Wait::Everywhere`]:
    /// after a successful response, no app server serves a token of these sessions, so the sign-out is final (G1).
    ///
    /// With [`Wait::None`], the response comes as soon as the store has ended the sessions. Other app servers may still
    /// serve tokens of these sessions from their near caches: **the sign-out may not be final then.**
    pub fn wait(mut self, wait: Wait) -> Self {
        self.wait = wait;
        self
    }

    /// Sets a function that is called after every sign-out that these routes carried out or failed to carry out, for
    /// example to write an audit log. By default no function is called. A second call replaces the first.
    ///
    /// `hook` receives a [`SignOutEvent`]. It is called once for each sign-out, even if the browser or the provider has
    /// disconnected. It is not called for an invalid request or message, or if a browser without a live session
    /// requests the app's own sign-out ([`SignOutRoutes::logout`]). The response does not wait for `hook`, and a panic
    /// in it affects nothing else.
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

    /// Checks the settings and creates the routes.
    ///
    /// It sends no request. With [`KeyFetch::Background`], it starts the background task that fetches the providers'
    /// signing keys, if it is called on a tokio runtime.
    ///
    /// # Errors
    /// [`ConfigError`] in these cases:
    /// - No [`client`](Self::client) was added, or the same client was added twice.
    /// - The settings of a client are invalid, such as an empty client id or a `jwks` that is not a JWK Set.
    /// - An issuer or another URL is neither `https` nor `http` at a loopback address.
    /// - The [`timeouts`](Self::timeouts) are two seconds or more in sum, or one of them is zero. Or
    ///   [`sign_out`](Timeouts::sign_out) is too short for the near caches of the app servers, and [`wait`](Self::wait)
    ///   is not [`Wait::None`].
    /// - The path of [`after_sign_out`](Self::after_sign_out) is not a path of this app.
    /// - Several clients are added, and one of them uses [`FrontChannelParameters::SidOnly`].
    /// - The root certificates are not PEM, or the system has no root certificates.
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
        let http = http_client(&self.certificates)?;
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
        let messages = ProviderMessages::of_issuers(issuers.len());
        let routes = SignOutRoutes(Arc::new(Inner {
            cache: self.cache,
            frame_policy: frame_policy(&clients)?,
            clients,
            providers,
            scope: self.scope,
            after: self.after,
            timeouts,
            wait: self.wait,
            hook: self.hook,
            messages,
            match_counts: MatchCounts::default(),
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

impl fmt::Debug for SignOutRoutesBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignOutRoutesBuilder")
            .field("clients", &self.clients)
            .field("scope", &self.scope)
            .field("after", &self.after)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}
