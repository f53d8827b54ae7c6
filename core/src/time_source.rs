use std::{fmt, time::SystemTime};

use crate::Timestamp;

/// The clock of a store in this process, which is read without a request. [`TokenStore::clock`](crate::TokenStore::clock) returns it.
///
/// A store on a server has no such clock. Its time is estimated from the answers of [`TokenStore::namespace`](crate::TokenStore::namespace)
/// ([`StoreClock`](crate::StoreClock)).
pub trait TimeSource: fmt::Debug + Send + Sync + 'static {
    /// Returns the present time of this clock.
    fn now(&self) -> Timestamp;
}

/// The wall clock of this machine. A [`MemoryStore`](crate::MemoryStore) uses it by default.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl TimeSource for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_system_time(SystemTime::now())
    }
}
