//! What is true of an actor, whatever the store thinks: the ground that promises are checked against.

use std::{collections::BTreeSet, fmt};

use token_cache_core::{AccountKey, SessionId};

use super::provider::Authenticated;

/// What is true of an actor.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// Its place in the scenario.
    pub(super) number: usize,
    /// What it is there for.
    pub(super) role: Role,
    /// How it ended.
    pub(super) outcome: Option<Outcome>,
    /// The sessions that its requests ended.
    pub(super) ended_sessions: BTreeSet<SessionId>,
    /// Which actors' sign-outs and writes had returned `Ok` when its first request landed.
    pub(super) landed_after: Option<Vec<bool>>,
}

/// What an actor is there for.
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

/// The truth of a sign-in. Moments are of the store's clock, without any estimate's error.
#[derive(Debug, Clone)]
pub(super) struct SignInFacts {
    /// Whose.
    pub(super) account: AccountKey,
    /// When authorization was asked for.
    pub(super) requested: Option<u64>,
    /// What the provider said.
    pub(super) authenticated: Option<Authenticated>,
    /// True where the ID token carries the `sid`.
    pub(super) with_sid: bool,
    /// True where the ID token says when the user authenticated.
    pub(super) auth_time: bool,
    /// From when on it must be refused.
    pub(super) not_after: u64,
    /// The ticket secrets it sent, in order.
    pub(super) session_ids: Vec<SessionId>,
}

/// The truth of a sign-out.
#[derive(Debug, Clone)]
pub(super) struct SignOutFacts {
    /// What it ends.
    pub(super) scope: Scope,
    /// The moments of its attempts on the store's clock: the last one is that of the `Ok`.
    pub(super) moments: Vec<u64>,
}

/// What a sign-out ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The session that an actor began.
    Ticket(usize),
    /// An account's sessions; by the provider's message, or by the app.
    Account {
        /// Whose.
        account: AccountKey,
        /// The provider's message, ordered by authentication.
        by_provider: bool,
    },
    /// The sessions under a provider's session, as the app ends them.
    Sid(u8),
    /// The sessions under a provider's session, for good; of the account also the unlabelled ones, where it is named.
    Message {
        /// The provider's session.
        sid: u8,
        /// The account the message names.
        named: Option<AccountKey>,
        /// False where the store records no labels, so that it ends the account's sessions up to its moment.
        labels: bool,
    },
    /// The sessions under a provider's session, for good, and with them those of the accounts that it reaches.
    MessageOfAccounts(u8),
    /// Everybody.
    Issuer,
}

/// How an actor ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A sign-in that gave a ticket.
    SignedIn(SessionId),
    /// `SignedOut`.
    Refused,
    /// Any other error.
    Failed,
    /// A sign-out that returned `Ok`, and whether it says that it ended something.
    SignedOut(bool),
    /// A write that was acknowledged.
    Written,
    /// A removal that was acknowledged.
    Removed,
    /// A read that gave a token.
    Token,
    /// A read that found the session, and no entry.
    Miss,
    /// The background sessions found.
    Found(Vec<SessionId>),
    /// There was nothing to do.
    Nothing,
}

impl Facts {
    /// True once a sign-out or a write has returned `Ok`.
    pub(super) fn succeeded(&self) -> bool {
        matches!(self.outcome, Some(Outcome::SignedOut(_) | Outcome::Written))
    }

    /// The sign-in it is.
    pub(super) fn sign_in(&self) -> Option<&SignInFacts> {
        match &self.role {
            Role::SignIn(facts) => Some(facts),
            _ => None,
        }
    }

    /// The sign-out it is, once it has begun.
    pub(super) fn sign_out(&self) -> Option<&SignOutFacts> {
        match &self.role {
            Role::SignOut(facts) if !facts.moments.is_empty() => Some(facts),
            _ => None,
        }
    }

    /// What a trace calls it.
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
