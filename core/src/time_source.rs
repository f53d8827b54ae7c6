use std::{fmt, time::SystemTime};

use crate::Timestamp;

/// A clock that is read without a request: the clock of a store in this process.
///
/// A store on a server has none. Its clock is estimated from the answers of
/// [`TokenStore::namespace`](crate::TokenStore::namespace).
pub trait TimeSource: fmt::Debug + Send + Sync + 'static {
    /// Returns the present time.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl TimeSource for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_system_time(SystemTime::now())
    }
}
