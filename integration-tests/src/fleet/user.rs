use super::wire::Answer;
use crate::{
    clock::Tick,
    history::{Account, Outcome, SessionNumber, Sid},
};

/// Who signs in.
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
    /// A user of the first issuer who authenticates now, without a label.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            sid: None,
            auth_time: Tick::now().millis(),
        }
    }

    /// The same with a label.
    pub fn with_sid(self, label: u64) -> Self {
        Self {
            sid: Some(Sid {
                issuer: self.account.issuer,
                label,
            }),
            ..self
        }
    }
}

/// A session with its ticket: what a browser has.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ticketed {
    /// Its name.
    pub session: SessionNumber,
    /// Whose.
    pub account: Account,
    /// The ticket.
    pub ticket: String,
}

/// The session of a sign-in that ended well.
///
/// # Errors
/// How it ended, where that was not well.
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
