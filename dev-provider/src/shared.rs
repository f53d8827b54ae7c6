use std::{
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::{
    Settings, authorization_request::AuthorizationRequest, bounded::Bounded, events::Journal,
    gate::Gate, grants::Grants, keys::SigningKey, registry::Registry, sessions::Sessions,
    wants_to_sign_out::WantsToSignOut,
};
use crate::error::StartError;

/// How many browsers may stand before a form at a time.
const FORMS: usize = 1000;

/// The state that all requests share.
pub(super) struct Shared {
    pub(super) issuer: String,
    /// Of the SSO cookie: the port is in it, since browsers keep cookies by host alone.
    pub(super) cookie_name: String,
    pub(super) registry: Registry,
    pub(super) settings: Settings,
    pub(super) key: SigningKey,
    pub(super) journal: Journal,
    pub(super) gate: Gate,
    pub(super) http: Client<HttpConnector, Full<axum::body::Bytes>>,
    sessions: Mutex<Sessions>,
    grants: Mutex<Grants>,
    sign_ins: Mutex<Bounded<AuthorizationRequest>>,
    sign_outs: Mutex<Bounded<WantsToSignOut>>,
}

impl Shared {
    pub(super) fn new(
        address: SocketAddr,
        registry: Registry,
        settings: Settings,
    ) -> Result<Self, StartError> {
        Ok(Self {
            issuer: format!("http://{address}"),
            cookie_name: format!("development_provider_{}", address.port()),
            registry,
            grants: Mutex::new(Grants::new(settings.access_token_lifetime)),
            settings,
            key: SigningKey::generate()?,
            journal: Journal::new(),
            gate: Gate::new(),
            http: Client::builder(TokioExecutor::new()).build_http(),
            sessions: Mutex::new(Sessions::new()),
            sign_ins: Mutex::new(Bounded::new(FORMS)),
            sign_outs: Mutex::new(Bounded::new(FORMS)),
        })
    }

    pub(super) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        locked(&self.sessions)
    }

    pub(super) fn grants(&self) -> MutexGuard<'_, Grants> {
        locked(&self.grants)
    }

    /// Returns the requests that wait for the sign-in form.
    pub(super) fn sign_ins(&self) -> MutexGuard<'_, Bounded<AuthorizationRequest>> {
        locked(&self.sign_ins)
    }

    /// Returns the sign-outs that wait for the user's confirmation.
    pub(super) fn sign_outs(&self) -> MutexGuard<'_, Bounded<WantsToSignOut>> {
        locked(&self.sign_outs)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The seconds that tokens count in.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
