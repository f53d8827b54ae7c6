use super::wire::Answer;
use crate::{
    clock::Tick,
    history::{Account, Outcome, SessionNumber, Sid},
};

/// A user who signs in.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct User {
    /// The account.
    pub account: Account,
    /// The provider's session.
    pub sid: Option<Sid>,
    /// When the user authenticated, on the provider's clock.
    pub auth_time: u64,
}

impl User {
    /// Returns a user who authenticates now, without a `sid`.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            sid: None,
            auth_time: Tick::now().millis(),
        }
    }

    /// Adds a `sid`.
    pub fn with_sid(self, number: u64) -> Self {
        Self {
            sid: Some(Sid {
                issuer: self.account.issuer,
                number,
            }),
            ..self
        }
    }
}

/// A session with its ticket, as a browser has it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ticketed {
    /// Its number.
    pub session: SessionNumber,
    /// The account.
    pub account: Account,
    /// The ticket.
    pub ticket: String,
}

/// Returns the session of a sign-in that succeeded.
///
/// # Errors
/// The outcome, if it is not success.
pub fn ticketed(
    session: SessionNumber,
    account: Account,
    answer: Answer,
) -> Result<Ticketed, Outcome> {
    match answer {
        Answer {
            outcome: Outcome::Done,
            text: Some(ticket),
            ..
        } => Ok(Ticketed {
            session,
            account,
            ticket,
        }),
        Answer { outcome, .. } => Err(outcome),
    }
}
