use serde::{Deserialize, Serialize};

use crate::clock::Tick;

/// The harness's own name of a session; the store never sees it but inside the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionNumber(pub u64);

/// The name of one write: every write puts a value of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WriteId(pub u64);

/// A user at an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Account {
    /// Which issuer.
    pub issuer: u32,
    /// Which of its users.
    pub subject: u64,
}

/// A provider's session at an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sid {
    /// Which issuer.
    pub issuer: u32,
    /// Which of its sessions.
    pub label: u64,
}

/// When something began and when it was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Not later than its first effect.
    pub start: Tick,
    /// Not earlier than its last effect; [`Tick::NEVER`] where nobody saw it end.
    pub end: Tick,
}

impl Span {
    /// True where this was over before `other` began.
    pub fn before(&self, other: &Span) -> bool {
        self.end < other.start
    }
}

/// One operation of an app server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "the checker must know them all")]
pub enum Op {
    /// The callback of a sign-in.
    SignIn {
        /// The session it begins.
        session: SessionNumber,
        /// Whose.
        account: Account,
        /// Its label.
        sid: Option<Sid>,
        /// When the user authenticated, on the provider's clock.
        auth_time: u64,
        /// When the authorization request was made.
        requested: Span,
    },
    /// A ticket is shown.
    Resume {
        /// The session.
        session: SessionNumber,
    },
    /// A read of an entry.
    Get {
        /// The session.
        session: SessionNumber,
        /// Which of its entries.
        entry: u8,
    },
    /// A write of an entry.
    Put {
        /// The session.
        session: SessionNumber,
        /// Which of its entries.
        entry: u8,
        /// What it writes.
        write: WriteId,
        /// The write that it replaces, as a refresh does; none for an unconditional write.
        over: Option<WriteId>,
    },
    /// A sign-out, which waits until no server can serve a copy.
    SignOut(Scope),
    /// A sign-out that returns as soon as the store has carried it out: copies elsewhere are served until their leases end.
    SignOutAtOnce(Scope),
}

/// What a sign-out is to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "the checker must know them all")]
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

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "the checker must know them all")]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// A sign-out was carried out, and there was nothing to end.
    EndedNothing,
    /// A read found what `write` put in the session `of`.
    Found {
        /// The session that the tokens are of.
        of: SessionNumber,
        /// Who wrote them.
        write: WriteId,
    },
    /// A read found nothing.
    Miss,
    /// Another version was there than the write asked for.
    PreconditionFailed,
    /// The session has ended.
    SignedOut,
    /// An error, by its kind.
    Failed {
        /// The kind.
        kind: String,
        /// Whether the error says that it may have been carried out.
        maybe: bool,
    },
    /// Nobody saw it end: its process was killed, or its caller went away.
    Unknown,
}

/// One operation, when it was under way, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a history is written by the harness and read by the checker"
)]
pub struct Event {
    /// The app server.
    pub process: u32,
    /// When.
    pub span: Span,
    /// What.
    pub op: Op,
    /// How it ended.
    pub outcome: Outcome,
}
