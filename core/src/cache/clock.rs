use super::TokenCache;
use crate::{Result, Timestamp};

impl TokenCache {
    /// Returns the time on the store's clock. Call it before a token request is sent: the lifetime of the new tokens is counted from it.
    /// Does no I/O.
    ///
    /// A server knows the store's clock from the store's answers, up to a few milliseconds (up to a second on DynamoDB). This is the
    /// earliest time that is possible, so an expiry that is counted from it is never later than the true one.
    ///
    /// Use it for every time that goes into the cache, such as the `sent_at` of
    /// [`TokenSet::from_response`](crate::TokenSet::from_response). A time of this machine's own clock (`SystemTime::now()`) can be
    /// wrong, and an expired token would then count as fresh.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the namespace has another secret by now.
    pub fn now(&self) -> Result<Timestamp> {
        Ok(self.keys()?.earliest)
    }

    /// Returns the latest time that the store's clock can have reached, to check whether a time of the provider is in the future. Does no
    /// I/O.
    ///
    /// A time after it is certainly in the future of the store's clock. For the time of new tokens, use [`now`](Self::now).
    ///
    /// # Errors
    /// As [`now`](Self::now).
    pub fn latest_now(&self) -> Result<Timestamp> {
        Ok(self.keys()?.latest)
    }
}
