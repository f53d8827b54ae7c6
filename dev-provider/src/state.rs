use std::{
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use url::Url;

use crate::{
    bounded::Bounded,
    clients::Clients,
    crypto::SigningKey,
    error::ProviderError,
    events::Journal,
    faults::Faults,
    grants::Grants,
    request::AuthorizationRequest,
    sessions::{Sessions, SsoCookie},
};

/// How a development provider behaves where providers differ.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long an access token lives: 5 minutes, unless set.
    pub access_token_lifetime: Duration,
    /// `true` if a user who authenticates again in the same browser keeps the `sid`, as at Keycloak. By default it is `false`.
    pub keeps_sid: bool,
    /// How long a client may take to answer a logout token: 2.5 seconds, unless set.
    pub back_channel_timeout: Duration,
    /// `true` to serve apps on this machine that are not registered. By default it is `true`.
    pub loopback_apps: bool,
    /// For how long a spent refresh token gets its successor again, unless that was spent too. By default 0.
    pub refresh_grace: Duration,
    /// `true` if the revocation of a refresh token ends all that its user granted the client, as at Google. By default it is `false`.
    pub revocation_ends_all: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_token_lifetime: Duration::from_secs(5 * 60),
            keeps_sid: false,
            back_channel_timeout: Duration::from_millis(2500),
            loopback_apps: true,
            refresh_grace: Duration::ZERO,
            revocation_ends_all: false,
        }
    }
}

/// A browser that is asked whether to sign out.
pub(crate) struct WantsToSignOut {
    pub(crate) cookie: String,
    /// The URL at which the browser continues.
    pub(crate) next: Option<Url>,
}

/// How many browsers may stand before a form at a time.
const FORMS: usize = 1000;

/// The state that all requests share.
pub(crate) struct Shared {
    pub(crate) issuer: String,
    pub(crate) sso_cookie: SsoCookie,
    pub(crate) clients: Clients,
    pub(crate) key: SigningKey,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) http: Client<HttpConnector, Full<axum::body::Bytes>>,
    settings: Mutex<Settings>,
    sessions: Mutex<Sessions>,
    grants: Mutex<Grants>,
    sign_ins: Mutex<Bounded<AuthorizationRequest>>,
    sign_outs: Mutex<Bounded<WantsToSignOut>>,
}

impl Shared {
    pub(crate) fn new(
        address: SocketAddr,
        clients: Clients,
        settings: Settings,
    ) -> Result<Self, ProviderError> {
        Ok(Self {
            issuer: format!("http://{address}"),
            sso_cookie: SsoCookie::new(address.port()),
            clients,
            grants: Mutex::new(Grants::new()),
            settings: Mutex::new(settings),
            key: SigningKey::generate()?,
            journal: Journal::new(),
            faults: Faults::new(),
            http: Client::builder(TokioExecutor::new()).build_http(),
            sessions: Mutex::new(Sessions::new()),
            sign_ins: Mutex::new(Bounded::new(FORMS)),
            sign_outs: Mutex::new(Bounded::new(FORMS)),
        })
    }

    pub(crate) fn settings(&self) -> MutexGuard<'_, Settings> {
        locked(&self.settings)
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        locked(&self.sessions)
    }

    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        locked(&self.grants)
    }

    /// Returns the requests that wait for the sign-in form.
    pub(crate) fn sign_ins(&self) -> MutexGuard<'_, Bounded<AuthorizationRequest>> {
        locked(&self.sign_ins)
    }

    /// Returns the sign-outs that wait for the user's confirmation.
    pub(crate) fn sign_outs(&self) -> MutexGuard<'_, Bounded<WantsToSignOut>> {
        locked(&self.sign_outs)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The seconds that tokens count in.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
