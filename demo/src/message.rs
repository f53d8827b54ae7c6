use serde::{Deserialize, Serialize};

use crate::{
    caches::CacheKind,
    near_cache::{LeaseState, Source, Waited},
    oidc::Registration,
    steps::{Cookie, StateCookie},
};

/// A message to an app server: a value in a channel to a task, or a line of JSON to a process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToServer {
    /// Before all else: the store to open, where it has none yet, and where users sign in.
    Open {
        store: Option<String>,
        registrations: Registrations,
    },
    /// A browser's request.
    Request {
        id: u64,
        kind: CacheKind,
        request: Request,
    },
}

/// A message of an app server.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromServer {
    /// It has an address for the provider's messages.
    Listening { origin: String },
    /// It has opened the store that calls itself this, and takes requests.
    Ready { store: String },
    /// It could not.
    NotReady { message: String },
    /// The answer to a request, or what failed.
    Response {
        id: u64,
        response: Result<Response, String>,
    },
}

/// The app's registrations, at the provider of each kind of cache.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Registrations {
    pub(crate) token_cache: Registration,
    pub(crate) plain_cache: Registration,
}

/// A request of a browser to an app server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Be redirected to the provider; to authenticate there in any case, where `anew`.
    StartSignIn { anew: bool },
    /// Back from the provider.
    FinishSignIn {
        cookie: StateCookie,
        state: String,
        code: String,
    },
    /// A page that needs an API called for the user.
    CallApi { cookie: Cookie },
    /// The same, when the access token is about to expire.
    Refresh { cookie: Cookie },
    /// Stop receiving invalidation messages.
    CutBackplane,
    /// Say whether it may serve copies.
    LeaseState,
    /// Say what the last sign-out here waited for.
    Waited,
}

/// The answer of an app server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Response {
    Redirected {
        url: String,
        cookie: StateCookie,
    },
    SignedIn {
        cookie: Cookie,
        token: String,
    },
    Called {
        token: String,
        from: Option<Source>,
    },
    Refreshed {
        token: String,
    },
    /// The session has ended, or a sign-out overtook the sign-in.
    Refused,
    /// The cache has no tokens.
    NoTokens,
    /// `true` if there was a backplane to cut.
    BackplaneCut(bool),
    LeaseState(Option<LeaseState>),
    Waited(Option<Waited>),
}

impl Registrations {
    pub(crate) fn of(&self, kind: CacheKind) -> &Registration {
        match kind {
            CacheKind::TokenCache => &self.token_cache,
            CacheKind::PlainCache => &self.plain_cache,
        }
    }
}
