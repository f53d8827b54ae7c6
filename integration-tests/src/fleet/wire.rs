use serde::{Deserialize, Serialize};

use super::{
    near_cache_outcome::NearCacheOutcome,
    refresh::{Refreshed, Refreshing},
};
use crate::history::{Account, Op, Outcome, SessionNumber, Sid, Span};

/// A line to an app server.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) number: u64,
    pub(super) ask: Ask,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    StartSignIn,
    Do(Box<Task>),
    Refresh {
        ticket: String,
        asked: Box<Refreshing>,
    },
    Learn(Known),
    Load(Load),
    StopLoad,
}

/// A line from an app server.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Line {
    /// The cache is open.
    Ready,
    /// The cache could not be opened.
    Refused { kind: String, message: String },
    /// The outcome of a request.
    Answered(u64, Answer),
    /// The result of each caller of a refresh.
    Refreshed(u64, Vec<Refreshed>),
    /// The load has begun a session.
    Begun(Known),
}

/// One operation, and what its caller has for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the driver and its app servers are one program"
)]
pub struct Task {
    /// The operation.
    pub op: Op,
    /// The session's ticket, if the operation needs one.
    pub ticket: Option<String>,
    /// The started sign-in, from the state cookie.
    pub started: Option<String>,
    /// The version that a read returned, for a write that replaces it.
    pub version: Option<String>,
    /// Number of bytes added to the value of a write.
    pub padding: usize,
    /// The caller drops its future after this many polls.
    pub polls: Option<usize>,
}

impl Task {
    /// Returns an operation without a ticket or any other data.
    pub fn new(op: Op) -> Self {
        Self {
            op,
            ticket: None,
            started: None,
            version: None,
            padding: 0,
            polls: None,
        }
    }

    /// Returns an operation on a session.
    pub fn with_ticket(op: Op, ticket: &str) -> Self {
        Self {
            ticket: Some(ticket.to_owned()),
            ..Self::new(op)
        }
    }
}

/// The answer of an app server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the driver and its app servers are one program"
)]
pub struct Answer {
    /// When the operation began and ended.
    pub span: Span,
    /// The outcome.
    pub outcome: Outcome,
    /// The ticket, the started sign-in, the version, or the near-cache outcome, depending on the operation.
    pub text: Option<String>,
    /// The error's message.
    pub message: Option<String>,
}

impl Answer {
    /// Returns what a completed sign-out reported of other servers' near caches.
    pub fn near_caches(&self) -> Option<NearCacheOutcome> {
        serde_json::from_str(self.text.as_deref()?).ok()
    }
}

/// A session that app servers share, as a browser's cookie reaches each of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) session: SessionNumber,
    pub(crate) account: Account,
    pub(crate) sid: Option<Sid>,
    pub(crate) ticket: String,
}

/// Settings of a load: an app server then acts by itself.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) seed: u64,
    pub(crate) tasks: u32,
    pub(crate) users: Users,
    /// Its sign-outs do not wait for other servers' near caches.
    pub(crate) at_once: bool,
}

/// The kind of users of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Users {
    /// Many users who use every operation.
    Usual,
    /// A few users whose tokens are read continuously while other requests sign them out.
    Hot,
}
