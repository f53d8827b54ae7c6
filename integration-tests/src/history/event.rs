use serde::{Deserialize, Serialize};

use crate::clock::Tick;

/// The harness's own number of a session. The store sees it only inside the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionNumber(pub u64);

/// The id of a write. Every write stores a value of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WriteId(pub u64);

/// A user at an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Account {
    /// The issuer's number.
    pub issuer: u32,
    /// The number of the issuer's user.
    pub subject: u64,
}

/// A provider's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sid {
    /// The issuer's number.
    pub issuer: u32,
    /// The number of the issuer's session.
    pub number: u64,
}

/// When an operation began and when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// A time not later than its first effect.
    pub start: Tick,
    /// A time not earlier than its last effect, or [`Tick::NEVER`] if its end was not observed.
    pub end: Tick,
}

impl Span {
    /// Returns `true` if this ended before `other` began.
    pub fn before(&self, other: &Span) -> bool {
        self.end < other.start
    }
}

/// One operation of an app server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the checker must handle each variant"
)]
pub enum Op {
    /// The callback of a sign-in.
    SignIn {
        /// The session that it begins.
        session: SessionNumber,
        /// The account.
        account: Account,
        /// Its `sid`, if any.
        sid: Option<Sid>,
        /// When the user authenticated, on the provider's clock.
        auth_time: u64,
        /// When the authorization request was made.
        requested: Span,
    },
    /// A request that resumes a session with its ticket.
    Resume {
        /// The session.
        session: SessionNumber,
    },
    /// A read of an entry.
    Get {
        /// The session.
        session: SessionNumber,
        /// The number of the entry in its session.
        entry: u8,
    },
    /// A write of an entry.
    Put {
        /// The session.
        session: SessionNumber,
        /// The number of the entry in its session.
        entry: u8,
        /// The value that it writes.
        write: WriteId,
        /// The write that it replaces, as a refresh does, or `None` for an unconditional write.
        over: Option<WriteId>,
    },
    /// A sign-out that waits until no server can serve a near-cache entry.
    SignOut(Scope),
    /// A sign-out that returns as soon as the store has evicted. Other servers may serve near-cache entries until their leases end.
    SignOutAtOnce(Scope),
}

/// The sessions that a sign-out is to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the checker must handle each variant"
)]
pub enum Scope {
    /// One session.
    Session(SessionNumber),
    /// An account, by the app.
    Account(Account),
    /// Several accounts, by the app.
    Accounts(Vec<Account>),
    /// A provider's session, by the app.
    ProviderSession(Sid),
    /// A whole issuer, by the app.
    Issuer(u32),
    /// A provider's message.
    Message {
        /// The account it names.
        account: Option<Account>,
        /// The provider's session it names.
        sid: Option<Sid>,
        /// When the provider issued it, on its own clock.
        issued_at: u64,
    },
}

/// The outcome of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the checker must handle each variant"
)]
pub enum Outcome {
    /// It succeeded.
    Done,
    /// A sign-out succeeded and had nothing to end.
    EndedNothing,
    /// A read returned the value that `write` stored in the session `of`.
    Found {
        /// The session that the tokens are of.
        of: SessionNumber,
        /// The write that stored them.
        write: WriteId,
    },
    /// A read found no entry.
    Miss,
    /// The stored version was not the one that the write required.
    PreconditionFailed,
    /// The session has ended.
    SignedOut,
    /// An error, by its kind.
    Failed {
        /// The kind.
        kind: String,
        /// `true` if the error says that the operation may have been carried out.
        maybe: bool,
    },
    /// Its end was not observed: its process was killed, or its caller was dropped.
    Unknown,
}

/// One operation, its start and end, and its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a history is written by the harness and read by the checker"
)]
pub struct Event {
    /// The app server.
    pub process: u32,
    /// When it began and ended.
    pub span: Span,
    /// The operation.
    pub op: Op,
    /// The outcome.
    pub outcome: Outcome,
}
