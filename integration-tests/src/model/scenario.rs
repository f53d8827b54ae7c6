//! The parts of a scenario.

use std::{fmt, time::Duration};

use token_cache_core::{AccountKey, IssuerKey, SidKey};

use super::mutants::Bent;

/// A set of actors, the store they share, and the faults that may occur.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Kind of the store.
    pub store: StoreLike,
    /// The mutant, if any.
    pub bent: Bent,
    /// The actors.
    pub actors: Vec<Actor>,
    /// Number of browsers that have a session at the provider.
    pub browsers: u8,
    /// How far the provider's clock is ahead of the store's, in milliseconds.
    pub skew: i64,
    /// Periods of time that may pass, each once and at any point, in this order.
    pub jumps: Vec<Duration>,
    /// Maximum number of faults in a schedule.
    pub faults: u8,
}

/// Kind of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the stores of the model")]
pub enum StoreLike {
    /// Every call is one step.
    Redis,
    /// Every step touches one item.
    DynamoDb,
}

/// A participant of a scenario.
#[derive(Debug, Clone)]
pub struct Actor {
    /// What it does.
    pub act: Act,
    /// The actors that must have finished before it begins.
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
    /// The provider ends a browser's session and sends a message.
    Message {
        /// The browser.
        browser: u8,
        /// The user whose subject the message names.
        user: Option<u8>,
        /// `true` if a `sid` ends all sessions of the account.
        means_account: bool,
    },
    /// The provider ends all sessions of its only user and sends a message that names the subject.
    MessageSubject(u8),
    /// The message of an actor is delivered to another server as well.
    Redelivery(usize),
    /// The app ends all sessions of the issuer.
    SignOutIssuer,
    /// Writes an entry of the session that an actor began.
    Write(usize),
    /// Creates an entry of the session that an actor began. Tries once more if that fails.
    Create(usize),
    /// Removes the entry of the session that an actor began.
    Remove(usize),
    /// Reads the entry of the session that an actor began.
    Read(usize),
    /// Reads the background sessions of a user.
    FindBackgroundSession(u8),
}

/// A user signs in.
#[derive(Debug, Clone, Copy)]
pub struct SignInAct {
    /// The user.
    pub user: u8,
    /// The browser.
    pub browser: u8,
    /// `true` if the ID token has a `sid`.
    pub with_sid: bool,
    /// `true` if the ID token has an `auth_time`.
    pub auth_time: bool,
    /// `true` if a background session is stored.
    pub background_access: bool,
    /// Lifetime of the session.
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
                let suffix = if act.with_sid {
                    ""
                } else {
                    ", without a `sid`"
                };
                let (user, browser) = (act.user, act.browser);
                write!(f, "user {user} signs in with browser {browser}{suffix}")
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
                    "the provider signs out browser {browser} and names its `sid`{subject}"
                )
            }
            Self::MessageSubject(user) => {
                write!(
                    f,
                    "the provider signs out user {user} and names the subject"
                )
            }
            Self::Redelivery(of) => {
                write!(f, "another server does what actor {of} does")
            }
            Self::SignOutIssuer => f.write_str("an operator signs out the issuer"),
            Self::Write(of) => write!(f, "writes an entry of the session of actor {of}"),
            Self::Create(of) => write!(f, "creates an entry of the session of actor {of}"),
            Self::Remove(of) => write!(f, "removes the entry of the session of actor {of}"),
            Self::Read(of) => write!(f, "reads the entry of the session of actor {of}"),
            Self::FindBackgroundSession(user) => {
                write!(f, "a job looks for background sessions of user {user}")
            }
        }
    }
}
