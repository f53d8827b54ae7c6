use serde::{Deserialize, Serialize};

use crate::{
    app_cache::Cookie,
    columns::Column,
    provider::{Grant, TokenRequest},
};

/// What an app server is told: a value in a channel to a task, a line of JSON to a process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToServer {
    /// To a process, before all else: the store to open.
    Open { store: String },
    /// A browser's request.
    Request {
        id: u64,
        column: Column,
        request: Request,
    },
    /// The provider's answer to a call.
    Granted {
        call: u64,
        grant: Result<Grant, String>,
    },
}

/// What an app server tells.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromServer {
    /// It has opened the store that calls itself this, and takes requests.
    Ready { store: String },
    /// It could not open the store.
    NotReady { message: String },
    /// The answer to a request, or what failed.
    Response {
        id: u64,
        response: Result<Response, String>,
    },
    /// A call to the provider's token endpoint.
    Call {
        call: u64,
        column: Column,
        request: TokenRequest,
    },
}

/// What a browser asks of an app server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Be redirected to the provider.
    StartSignIn,
    /// Back from the provider.
    FinishSignIn { state: String, code: String },
    /// A page that needs an API called for the user.
    CallApi { cookie: Cookie },
    /// The same, when the access token is about to expire.
    Refresh { cookie: Cookie },
    /// The button.
    SignOut { cookie: Cookie },
}

/// What an app server answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Response {
    Redirected {
        state: String,
    },
    SignedIn {
        cookie: Cookie,
        token: String,
    },
    Called {
        token: String,
    },
    Refreshed {
        token: String,
    },
    SignedOut,
    /// The session has ended, or a sign-out overtook the sign-in.
    Refused,
    /// The cache has no tokens.
    NoTokens,
}
