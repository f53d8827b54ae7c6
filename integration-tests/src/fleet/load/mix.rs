use std::time::Duration;

use crate::fleet::wire::Users;

/// The percentages of a user's actions. The rest are sign-outs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mix {
    pub(super) sign_in: u64,
    pub(super) read: u64,
    pub(super) resume: u64,
    pub(super) write: u64,
    pub(super) refresh: u64,
    /// Accounts are used for this many milliseconds and never again, so that no account exceeds its maximum number of sessions.
    pub(super) accounts_live: u64,
    /// Number of accounts of each issuer that are in use.
    pub(super) accounts_at_once: u64,
    /// A user's pause after an answer.
    pub(super) rest: Option<Duration>,
}

const USUAL: Mix = Mix {
    sign_in: 10,
    read: 45,
    resume: 5,
    write: 10,
    refresh: 22,
    accounts_live: 1_500,
    accounts_at_once: 24,
    rest: None,
};

const HOT: Mix = Mix {
    sign_in: 15,
    read: 30,
    resume: 5,
    write: 15,
    refresh: 20,
    accounts_live: 2_000,
    accounts_at_once: 3,
    rest: Some(Duration::from_millis(5)),
};

/// Only reads. No other operation delays the next one.
const READS: Mix = Mix {
    sign_in: 0,
    read: 92,
    resume: 8,
    write: 0,
    refresh: 0,
    rest: Some(Duration::from_millis(1)),
    ..HOT
};

/// One task in this many is of users who do more than read.
const READERS: u32 = 4;

impl Mix {
    /// Returns the actions of the task with this number.
    pub(super) fn of(users: Users, task: u32) -> Self {
        match users {
            Users::Usual => USUAL,
            Users::Hot if task.is_multiple_of(READERS) => HOT,
            Users::Hot => READS,
        }
    }
}
