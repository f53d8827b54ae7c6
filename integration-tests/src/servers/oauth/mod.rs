use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};

use super::{ServerError, wait};

mod answer;
mod asked;
mod endpoints;
mod fault;
mod grants;
mod listen;
mod state;

pub use self::asked::AskedOfProvider;
pub use self::fault::ProviderFault;
pub use self::grants::ProviderCounts;
use self::state::Shared;

/// The id of the provider's only client.
pub const CLIENT_ID: &str = "app";
/// The client's secret, sent with HTTP Basic or in the body.
pub const CLIENT_SECRET: &str = "only-for-a-test:a client's secret/+";

const LIMIT: Duration = Duration::from_secs(10);

/// A small OAuth 2.0 provider on loopback that rotates refresh tokens and detects their reuse.
///
/// It runs in the process that starts it. Other processes use it over HTTP at [`token_url`](Self::token_url) and
/// [`revocation_url`](Self::revocation_url). The process that started it has the counters and the settings. A change of a setting takes
/// effect with the next request:
///
/// | setting | effect | initially |
/// |---|---|---|
/// | [`answers_after`](Self::answers_after) | the answer of each refresh is delayed | no delay |
/// | [`hold`](Self::hold), [`release`](Self::release) | refreshes are answered when the test releases them | not held |
/// | [`on_next`](Self::on_next), [`always`](Self::always), [`calm`](Self::calm) | a [`ProviderFault`] | none |
/// | [`refuse`](Self::refuse) | no connection is accepted: the provider is down | up |
/// | [`grace`](Self::grace) | a spent refresh token gets its successor again for this time, unless that was spent too | 0 |
/// | [`lifetime`](Self::lifetime) | `expires_in` of access tokens | 3,600 s |
/// | [`revokes_grants`](Self::revokes_grants) | revoking a token revokes all of its user's | one family |
///
/// A refresh token is spent when its request has arrived, before any delay. A client that is killed while it waits, or whose answer is
/// lost, has spent it, as at a real provider. A spent token that is sent again is a reuse: it is counted, it is answered `invalid_grant`,
/// and its whole family is revoked (RFC 9700 section 4.14.2).
///
/// ```no_run
/// use token_cache_integration_tests::servers::{OAuthProvider, ProviderFault};
///
/// # fn main() -> Result<(), token_cache_integration_tests::servers::ServerError> {
/// let provider = OAuthProvider::start()?;
/// let first = provider.sign_in("ada");
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
    address: SocketAddr,
    shared: Arc<Shared>,
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
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| {
                listener.set_nonblocking(true)?;
                let _inside = runtime.enter();
                TcpListener::from_std(listener)
            })
            .map_err(ServerError::during("the provider found no port"))?;
        let address = listener
            .local_addr()
            .map_err(ServerError::during("the provider"))?;
        let shared = Arc::new(Shared::default());
        runtime.spawn(listen::accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            runtime: Some(runtime),
        })
    }

    /// Returns the issuer, `http://127.0.0.1:…`.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the token endpoint (RFC 6749 section 3.2). It supports refresh tokens, client credentials, token exchange (RFC 8693) and
    /// assertions (RFC 7523).
    pub fn token_url(&self) -> String {
        format!("{}{}", self.issuer(), endpoints::TOKEN)
    }

    /// Returns the revocation endpoint (RFC 7009).
    pub fn revocation_url(&self) -> String {
        format!("{}{}", self.issuer(), endpoints::REVOCATION)
    }

    /// Signs a user in without a request. Returns the token response that the app gets for the code. It begins a new family of refresh
    /// tokens.
    pub fn sign_in(&self, subject: &str) -> serde_json::Value {
        let mut grants = self.shared.grants();
        let family = grants.begin_family(subject);
        answer::tokens(&grants.mint(family), grants.lifetime())
    }

    /// Returns how often this refresh token arrived at the token endpoint, including faults.
    pub fn calls_with(&self, refresh_token: &str) -> u64 {
        self.shared.grants().calls_with(refresh_token)
    }

    /// Returns the counts so far, over all tokens.
    pub fn counts(&self) -> ProviderCounts {
        self.shared.grants().counts()
    }

    /// Returns `true` if this access or refresh token would still be accepted.
    pub fn is_live(&self, token: &str) -> bool {
        self.shared.grants().is_live(token)
    }

    /// Returns every request so far, in the order of arrival.
    pub fn asked(&self) -> Vec<AskedOfProvider> {
        self.shared.state().asked.clone()
    }

    /// Returns every access and refresh token that was ever issued. Leak tests use them as canaries.
    pub fn issued(&self) -> Vec<String> {
        self.shared.grants().issued()
    }

    /// Delays the answer to each refresh.
    pub fn answers_after(&self, delay: Duration) {
        self.shared.state().delay = delay;
    }

    /// Makes refreshes spend their token and get no answer until [`release`](Self::release).
    pub fn hold(&self) {
        self.shared.state().held = true;
    }

    /// Answers the refreshes that were held.
    pub fn release(&self) {
        self.shared.state().held = false;
        self.shared.wake();
    }

    /// Waits until `count` refreshes are held.
    ///
    /// # Errors
    /// They do not arrive within 10 s.
    pub fn wait_until_holding(&self, count: usize) -> Result<(), ServerError> {
        wait::until(LIMIT, "no refresh arrives at the provider", || {
            (self.shared.state().holding >= count).then_some(())
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
    pub fn on_next(&self, fault: ProviderFault) {
        self.shared.state().next_faults.push_back(fault);
    }

    /// Causes `fault` on every request until [`calm`](Self::calm).
    pub fn always(&self, fault: ProviderFault) {
        self.shared.state().every_fault = Some(fault);
    }

    /// Ends all faults.
    pub fn calm(&self) {
        let mut state = self.shared.state();
        state.every_fault = None;
        state.next_faults.clear();
    }

    /// While `refusing` is `true`, closes every open connection and each new one.
    pub fn refuse(&self, refusing: bool) {
        self.shared.state().refusing = refusing;
        if refusing {
            self.shared.cut();
        }
    }

    /// Sets the grace period: for this time after its first use a refresh token gets the same successor again, unless the successor was
    /// used too. Such a call counts as [`graced`](ProviderCounts::graced), not as a reuse.
    pub fn grace(&self, grace: Duration) {
        self.shared.grants().set_grace(grace);
    }

    /// Sets `expires_in`, in whole seconds.
    pub fn lifetime(&self, lifetime: Duration) {
        self.shared.grants().set_lifetime(lifetime);
    }

    /// Sets whether a revocation revokes all of the user's families, as at Google.
    pub fn revokes_grants(&self, all: bool) {
        self.shared.grants().set_revokes_grants(all);
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
