use serde::{Deserialize, Serialize};

use super::{
    clear_near_caches::NearCacheOutcome,
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
    /// The cache would not open.
    Refused { kind: String, message: String },
    /// What became of a request.
    Answered(u64, Answer),
    /// What became of each caller of a refresh.
    Refreshed(u64, Vec<Refreshed>),
    /// The load has begun a session.
    Begun(Known),
}

/// One operation, and what its caller has in hand for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the driver and its app servers are one program"
)]
pub struct Task {
    /// What to do.
    pub op: Op,
    /// The session's ticket, where one is needed.
    pub ticket: Option<String>,
    /// The started sign-in, from the state cookie.
    pub started: Option<String>,
    /// The version that a read answered with, for a write that replaces it.
    pub version: Option<String>,
    /// Bytes added to what a write writes.
    pub padding: usize,
    /// The caller goes away after polling its future so often.
    pub polls: Option<usize>,
}

impl Task {
    /// An operation that needs nothing but its own words.
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

    /// An operation on a session.
    pub fn with_ticket(op: Op, ticket: &str) -> Self {
        Self {
            ticket: Some(ticket.to_owned()),
            ..Self::new(op)
        }
    }
}

/// What an app server answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the driver and its app servers are one program"
)]
pub struct Answer {
    /// When it was under way.
    pub span: Span,
    /// How it ended.
    pub outcome: Outcome,
    /// The ticket, the started sign-in, the version, or what is known of other servers' copies, whichever was asked for.
    pub text: Option<String>,
    /// The error's text.
    pub message: Option<String>,
}

impl Answer {
    /// What a sign-out that was carried out said of other servers' copies.
    pub fn near_caches(&self) -> Option<NearCacheOutcome> {
        serde_json::from_str(self.text.as_deref()?).ok()
    }
}

/// A session that app servers tell each other of, as browsers do by their cookies.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) session: SessionNumber,
    pub(crate) account: Account,
    pub(crate) sid: Option<Sid>,
    pub(crate) ticket: String,
}

/// How an app server works when it is left to itself.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) seed: u64,
    pub(crate) tasks: u32,
    pub(crate) users: Users,
    /// Its sign-outs wait for no other server's copies.
    pub(crate) at_once: bool,
}

/// What kind of users come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Users {
    /// Many, each of whom does a little of everything.
    Usual,
    /// A few, whose tokens are read all the time while others sign them out.
    Hot,
}
