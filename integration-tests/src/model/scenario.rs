//! What a scenario is made of.

use std::{fmt, time::Duration};

use token_cache_core::{AccountKey, IssuerKey, SidKey};

use super::mutants::Bent;

/// Some actors, the store they share, and what may go wrong.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// In a few words.
    pub name: String,
    /// What the store is like.
    pub store: StoreLike,
    /// What is wrong with it, if anything.
    pub bent: Bent,
    /// Who acts.
    pub actors: Vec<Actor>,
    /// How many browsers have a session at the provider.
    pub browsers: u8,
    /// How far the provider's clock is ahead of the store's, in milliseconds.
    pub skew: i64,
    /// Stretches of time that may pass, each once and at any point, in this order.
    pub jumps: Vec<Duration>,
    /// How many faults a schedule may have.
    pub faults: u8,
}

/// What a store is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the stores of the model")]
pub enum StoreLike {
    /// One call, one step.
    Redis,
    /// The same, with the required part and background session only.
    WithoutSidIndex,
    /// One item, one step.
    DynamoDb,
}

/// Somebody who acts.
#[derive(Debug, Clone)]
pub struct Actor {
    /// What they do.
    pub act: Act,
    /// Who must have finished before they begin.
    pub after: Vec<usize>,
}

/// What an actor does.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "the acts of the model")]
pub enum Act {
    /// Signs a user in.
    SignIn(SignInAct),
    /// Ends the session that an actor began, by its ticket.
    SignOutTicket(usize),
    /// The app ends a user's sessions.
    SignOutAccount(u8),
    /// The app ends the sessions under a browser's session at the provider.
    SignOutSid(u8),
    /// The provider ends a browser's session, and says so.
    Message {
        /// The browser.
        browser: u8,
        /// Whose subject the message names.
        user: Option<u8>,
        /// Whether a `sid` means the account.
        means_account: bool,
    },
    /// The provider ends all sessions of its only user, and says so by the subject.
    MessageSubject(u8),
    /// The message of an actor is delivered to another server as well.
    Redelivery(usize),
    /// The app ends everybody's sessions.
    SignOutIssuer,
    /// Writes an entry of the session that an actor began.
    Write(usize),
    /// Creates an entry of the session that an actor began; sends it once more if it fails.
    Create(usize),
    /// Removes the entry of the session that an actor began.
    Remove(usize),
    /// Reads the entry of the session that an actor began.
    Read(usize),
    /// Looks for background sessions of a user.
    FindBackgroundSession(u8),
}

/// A user signs in.
#[derive(Debug, Clone, Copy)]
pub struct SignInAct {
    /// Who.
    pub user: u8,
    /// Where.
    pub browser: u8,
    /// Whether the ID token carries the `sid`.
    pub with_sid: bool,
    /// Whether the ID token says when the user authenticated.
    pub auth_time: bool,
    /// Whether a background session is kept.
    pub background_access: bool,
    /// How long the session lives.
    pub life: Duration,
}

/// The only issuer.
pub(super) const ISSUER: IssuerKey = IssuerKey::from_bytes([9; 16]);

/// A user's account.
pub(super) fn account(user: u8) -> AccountKey {
    AccountKey::new(ISSUER, [user + 1; 16])
}

/// A `sid`'s key.
pub(super) fn sid_key(sid: u8) -> SidKey {
    SidKey::from_bytes([sid + 1; 16])
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn(act) => {
                let label = if act.with_sid {
                    ""
                } else {
                    ", without a `sid`"
                };
                let (user, browser) = (act.user, act.browser);
                write!(f, "user {user} signs in with browser {browser}{label}")
            }
            Self::SignOutTicket(of) => {
                write!(f, "signs out the session of actor {of} by its ticket")
            }
            Self::SignOutAccount(user) => write!(f, "the app signs out the account of user {user}"),
            Self::SignOutSid(browser) => {
                write!(f, "the app signs out the `sid` of browser {browser}")
            }
            Self::Message { browser, user, .. } => {
                let subject = if user.is_some() {
                    " and the subject"
                } else {
                    ""
                };
                write!(
                    f,
                    "the provider signs out browser {browser}, and names its `sid`{subject}"
                )
            }
            Self::MessageSubject(user) => {
                write!(
                    f,
                    "the provider signs out user {user}, and names the subject"
                )
            }
            Self::Redelivery(of) => {
                write!(f, "what actor {of} does, done by another server as well")
            }
            Self::SignOutIssuer => f.write_str("an operator signs out the issuer"),
            Self::Write(of) => write!(f, "writes an entry of the session of actor {of}"),
            Self::Create(of) => write!(
                f,
                "writes an entry of the session of actor {of} over nothing"
            ),
            Self::Remove(of) => write!(f, "removes the entry of the session of actor {of}"),
            Self::Read(of) => write!(f, "reads the entry of the session of actor {of}"),
            Self::FindBackgroundSession(user) => {
                write!(f, "a job looks for background sessions of user {user}")
            }
        }
    }
}
