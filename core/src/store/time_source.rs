use std::{fmt, time::SystemTime};

use crate::Timestamp;

/// The clock of a store that runs in this process. It is read without a request. [`TokenStore::clock`](crate::TokenStore::clock) returns
/// it.
///
/// A store on another machine, such as Redis, has no `TimeSource`. A [`TokenCache`](crate::TokenCache) estimates that store's time from its
/// answers ([`StoreClock`](crate::StoreClock)).
pub trait TimeSource: fmt::Debug + Send + Sync + 'static {
    /// Returns the time that this clock shows now.
    fn now(&self) -> Timestamp;
}

/// The wall clock of this machine, as a [`TimeSource`]. A [`MemoryStore`](crate::MemoryStore) uses it by default.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl TimeSource for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_system_time(SystemTime::now())
    }
}
