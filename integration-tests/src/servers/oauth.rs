use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use token_cache_dev_provider::{
    AppRequest, DevelopmentProvider, Fault, RegisteredClient, Settings,
};
use tokio::runtime::{self, Runtime};

use super::{ServerError, wait};

/// The id of the provider's only client.
pub const CLIENT_ID: &str = "app";
/// The client's secret, sent with HTTP Basic or in the body.
pub const CLIENT_SECRET: &str = "only-for-a-test:a client's secret/+";

/// The scopes of sign-ins without a browser.
const SCOPE: &str = "openid mail";

const LIMIT: Duration = Duration::from_secs(10);

/// Counts of a provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ProviderCounts {
    /// Refreshes that arrived, including those that were refused and those with a fault.
    pub refreshes: u64,
    /// Refresh tokens that were exchanged for new ones.
    pub rotations: u64,
    /// Spent refresh tokens that were sent again and answered within the grace period.
    pub graced: u64,
    /// Spent refresh tokens that were sent again. Each revoked its family.
    pub reuses: u64,
    /// Requests at the revocation endpoint.
    pub revocations: u64,
    /// Families that were revoked, by reuse or by a request.
    pub revoked_families: u64,
}

/// The development provider on loopback, with one client, for tests of refreshes.
///
/// It runs in the process that starts it, in a thread of its own, so that tests need no async runtime. Other processes use it over HTTP
/// at [`token_url`](Self::token_url) and [`revocation_url`](Self::revocation_url). The process that started it has the counters and the
/// settings. A change of a setting takes effect with the next request:
///
/// | setting | effect | initially |
/// |---|---|---|
/// | [`answers_after`](Self::answers_after) | the answer of each refresh is delayed | no delay |
/// | [`hold`](Self::hold), [`release`](Self::release) | refreshes are answered when the test releases them | not held |
/// | [`on_next`](Self::on_next), [`always`](Self::always), [`calm`](Self::calm) | a [`Fault`] | none |
/// | [`refuse`](Self::refuse) | no connection is accepted: the provider is down | up |
/// | [`grace`](Self::grace) | a spent refresh token gets its successor again for this time, unless that was spent too | 0 |
/// | [`lifetime`](Self::lifetime) | `expires_in` of access tokens | 3,600 s |
///
/// ```no_run
/// use token_cache_integration_tests::servers::{OAuthProvider, ProviderFault};
///
/// # fn main() -> Result<(), token_cache_integration_tests::servers::ServerError> {
/// let provider = OAuthProvider::start()?;
/// let first = provider.sign_in("ada")?;
/// let refresh_token = first["refresh_token"].as_str().unwrap_or_default();
/// provider.on_next(ProviderFault::Unavailable { retry_after: Some(1) });
/// // … clients refresh at provider.token_url() …
/// assert_eq!(provider.calls_with(refresh_token), 2);
/// assert_eq!(provider.counts().reuses, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct OAuthProvider {
    provider: DevelopmentProvider,
    /// Taken when the provider is dropped.
    runtime: Option<Runtime>,
}

impl OAuthProvider {
    /// Listens on a free loopback port.
    ///
    /// # Errors
    /// No port is free.
    pub fn start() -> Result<Self, ServerError> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(ServerError::during("the provider's runtime"))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .map_err(ServerError::during("the provider found no port"))?;
        let client = RegisteredClient {
            id: CLIENT_ID.to_owned(),
            secret: Some(CLIENT_SECRET.to_owned()),
            ..RegisteredClient::default()
        };
        let settings = Settings {
            access_token_lifetime: Duration::from_secs(3600),
            loopback_apps: false,
            ..Settings::default()
        };
        let provider = {
            let _inside = runtime.enter();
            DevelopmentProvider::start(listener, [client], settings)
        };
        Ok(Self {
            provider: provider.map_err(ServerError::during("the provider"))?,
            runtime: Some(runtime),
        })
    }

    /// Returns the issuer, `http://127.0.0.1:…`.
    pub fn issuer(&self) -> String {
        self.provider.issuer().to_owned()
    }

    /// Returns the token endpoint (RFC 6749 section 3.2). It supports refresh tokens, client credentials, token exchange (RFC 8693) and
    /// assertions (RFC 7523).
    pub fn token_url(&self) -> String {
        format!("{}/token", self.provider.issuer())
    }

    /// Returns the revocation endpoint (RFC 7009).
    pub fn revocation_url(&self) -> String {
        format!("{}/revoke", self.provider.issuer())
    }

    /// Signs a user in without a request. Returns the token response that the app gets for the code. It begins a new family of refresh
    /// tokens.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn sign_in(&self, subject: &str) -> Result<serde_json::Value, ServerError> {
        let signed_in = self.provider.sign_in(CLIENT_ID, subject, SCOPE);
        signed_in.map_err(ServerError::during("a sign-in at the provider"))
    }

    /// Returns how often this refresh token arrived at the token endpoint, including faults.
    pub fn calls_with(&self, refresh_token: &str) -> u64 {
        self.requests(|one| {
            one.form
                .get("refresh_token")
                .is_some_and(|it| it == refresh_token)
        })
    }

    /// Returns the counts so far, over all tokens.
    pub fn counts(&self) -> ProviderCounts {
        let counts = self.provider.counts();
        ProviderCounts {
            refreshes: self.requests(|one| one.form.contains_key("refresh_token")),
            rotations: counts.refreshes,
            graced: counts.repeats,
            reuses: counts.reuses,
            revocations: self.requests(|one| one.path == "/revoke"),
            revoked_families: counts.revoked_grants,
        }
    }

    /// Returns the number of requests so far that are such.
    pub fn requests(&self, is_such: impl Fn(&AppRequest) -> bool) -> u64 {
        let requests = self.provider.faults().requests();
        let such = requests.iter().filter(|one| is_such(one));
        such.fold(0, |count, _| count + 1)
    }

    /// Returns `true` if this access or refresh token would still be accepted.
    pub fn is_live(&self, token: &str) -> bool {
        self.provider.accepts(token)
    }

    /// Returns every access and refresh token that was issued. Leak tests use them as canaries.
    pub fn issued(&self) -> Vec<String> {
        self.provider.issued_tokens()
    }

    /// Delays the answer to each refresh.
    pub fn answers_after(&self, delay: Duration) {
        self.provider.faults().delay_refreshes(delay);
    }

    /// Makes refreshes spend their token and get no answer until [`release`](Self::release).
    pub fn hold(&self) {
        self.provider.faults().hold_refreshes();
    }

    /// Answers the refreshes that were held.
    pub fn release(&self) {
        self.provider.faults().release_refreshes();
    }

    /// Waits until `count` refreshes are held.
    ///
    /// # Errors
    /// They do not arrive within 10 s.
    pub fn wait_until_holding(&self, count: usize) -> Result<(), ServerError> {
        wait::until(LIMIT, "no refresh arrives at the provider", || {
            (self.provider.faults().refreshes_held() >= count).then_some(())
        })
    }

    /// Waits until `count` revocations were requested.
    ///
    /// # Errors
    /// They do not arrive within 10 s.
    pub fn wait_for_revocations(&self, count: u64) -> Result<(), ServerError> {
        wait::until(LIMIT, "no revocation arrives at the provider", || {
            (self.counts().revocations >= count).then_some(())
        })
    }

    /// Causes `fault` on the next request to either endpoint. Several calls queue up.
    pub fn on_next(&self, fault: Fault) {
        self.provider.faults().on_next(fault);
    }

    /// Causes `fault` on every request until [`calm`](Self::calm).
    pub fn always(&self, fault: Fault) {
        self.provider.faults().always(fault);
    }

    /// Ends all faults.
    pub fn calm(&self) {
        self.provider.faults().clear();
    }

    /// While `refusing` is `true`, closes every open connection and each new one.
    pub fn refuse(&self, refusing: bool) {
        self.provider.faults().refuse_connections(refusing);
    }

    /// Sets the grace period: for this time after its first use a refresh token gets the same successor again, unless the successor was
    /// used too. Such a call counts as [`graced`](ProviderCounts::graced), not as a reuse.
    pub fn grace(&self, grace: Duration) {
        self.provider
            .change(|settings| settings.refresh_grace = grace);
    }

    /// Sets `expires_in`, in whole seconds.
    pub fn lifetime(&self, lifetime: Duration) {
        self.provider
            .change(|settings| settings.access_token_lifetime = lifetime);
    }
}

impl Drop for OAuthProvider {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The provider may be dropped in a thread of a runtime.
            runtime.shutdown_background();
        }
    }
}
