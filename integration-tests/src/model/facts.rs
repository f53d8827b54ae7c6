//! The facts about each actor, independent of what the store records. The promises are checked against them.

use std::{collections::BTreeSet, fmt};

use token_cache_core::{AccountKey, SessionId};

use super::provider::Authenticated;

/// The facts about an actor.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// Its number in the scenario.
    pub(super) number: usize,
    /// Its role.
    pub(super) role: Role,
    /// Its outcome, once it has finished.
    pub(super) outcome: Option<Outcome>,
    /// The sessions that its requests ended.
    pub(super) ended_sessions: BTreeSet<SessionId>,
    /// The actors whose sign-outs and writes had returned `Ok` when this actor's first request reached the server.
    pub(super) landed_after: Option<Vec<bool>>,
}

/// Role of an actor.
#[derive(Debug, Clone, Default)]
pub(super) enum Role {
    /// Not started.
    #[default]
    Waiting,
    /// Begins a session.
    SignIn(SignInFacts),
    /// Ends sessions.
    SignOut(SignOutFacts),
    /// Writes an entry of the session that an actor began.
    Write(usize),
    /// Creates an entry of the session that an actor began.
    Create,
    /// Removes the entry of the session that an actor began.
    Remove(usize),
    /// Reads an entry of the session that an actor began.
    Read(usize),
    /// Looks for background sessions.
    FindBackgroundSession,
}

/// Facts of a sign-in. Times are exact times of the store's clock.
#[derive(Debug, Clone)]
pub(super) struct SignInFacts {
    /// The account.
    pub(super) account: AccountKey,
    /// When the authorization was requested.
    pub(super) requested: Option<u64>,
    /// What the provider reported.
    pub(super) authenticated: Option<Authenticated>,
    /// `true` if the ID token has a `sid`.
    pub(super) with_sid: bool,
    /// `true` if the ID token has an `auth_time`.
    pub(super) auth_time: bool,
    /// The time from which on it must be refused.
    pub(super) not_after: u64,
    /// The ids of the sessions that it sent, in order.
    pub(super) session_ids: Vec<SessionId>,
}

/// Facts of a sign-out.
#[derive(Debug, Clone)]
pub(super) struct SignOutFacts {
    /// What it ends.
    pub(super) scope: Scope,
    /// The times of its attempts on the store's clock. The last one is that of the attempt that returned `Ok`.
    pub(super) cutoff_times: Vec<u64>,
}

/// What a sign-out ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The session that an actor began.
    Ticket(usize),
    /// An account's sessions, ended by the provider's message or by the app.
    Account {
        /// The account.
        account: AccountKey,
        /// `true` if it is the provider's message, which is ordered by authentication.
        by_provider: bool,
    },
    /// The sessions of a provider's session, ended by the app.
    Sid(u8),
    /// The sessions of a provider's session, ended for good; also the named account's sessions without a `sid`, if it is named.
    Message {
        /// The provider's session.
        sid: u8,
        /// The account that the message names.
        named: Option<AccountKey>,
    },
    /// The sessions of a provider's session, ended for good, and all sessions of the accounts that have one of them.
    MessageOfAccounts(u8),
    /// All sessions of the issuer.
    Issuer,
}

/// Outcome of an actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A sign-in that returned a ticket.
    SignedIn(SessionId),
    /// `SignedOut`.
    Refused,
    /// Any other error.
    Failed,
    /// A sign-out that returned `Ok`, and whether it reported that it ended something.
    SignedOut(bool),
    /// A write that was acknowledged.
    Written,
    /// A removal that was acknowledged.
    Removed,
    /// A read that returned a token.
    Token,
    /// A read that found the session but no entry.
    Miss,
    /// The background sessions found.
    Found(Vec<SessionId>),
    /// There was nothing to do.
    Nothing,
}

impl Facts {
    /// Returns `true` if a sign-out or a write has returned `Ok`.
    pub(super) fn succeeded(&self) -> bool {
        matches!(self.outcome, Some(Outcome::SignedOut(_) | Outcome::Written))
    }

    /// Returns the facts of the sign-in, or `None` for another role.
    pub(super) fn sign_in(&self) -> Option<&SignInFacts> {
        match &self.role {
            Role::SignIn(facts) => Some(facts),
            _ => None,
        }
    }

    /// Returns the facts of the sign-out once it has begun, or `None` for another role.
    pub(super) fn sign_out(&self) -> Option<&SignOutFacts> {
        match &self.role {
            Role::SignOut(facts) if !facts.cutoff_times.is_empty() => Some(facts),
            _ => None,
        }
    }

    /// Returns its name in traces.
    pub(super) fn name(&self) -> String {
        let role = match &self.role {
            Role::SignIn(_) => "sign-in",
            Role::Waiting | Role::SignOut(_) => "sign-out",
            Role::Write(_) | Role::Create => "writer",
            Role::Remove(_) => "remover",
            Role::Read(_) => "reader",
            Role::FindBackgroundSession => "job without a ticket",
        };
        format!("{role} {}", self.number)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignedIn(_) => "Ok, and the browser has its ticket",
            Self::Refused => "refused: SignedOut",
            Self::Failed => "an error",
            Self::SignedOut(true) => "Ok, sessions ended",
            Self::SignedOut(false) => "Ok, there was nothing to end",
            Self::Written => "Ok, written",
            Self::Removed => "Ok, removed",
            Self::Token => "a token",
            Self::Miss => "no entry",
            Self::Found(found) if found.is_empty() => "no background sessions",
            Self::Found(_) => "a background session",
            Self::Nothing => "there was nothing to do",
        })
    }
}
