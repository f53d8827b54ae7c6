use super::TokenCache;
use crate::{Result, Timestamp};

impl TokenCache {
    /// Returns the earliest time that the store's clock can show now. Does no I/O.
    ///
    /// Call it before a token request is sent, and pass the time as `sent_at` to
    /// [`TokenSet::from_response`](crate::TokenSet::from_response), which counts the lifetime of the new tokens from it. Use it for every
    /// other time that goes into the cache too. The machine's own clock (`SystemTime::now()`) can be wrong, and an expired token would then
    /// count as fresh.
    ///
    /// An app server estimates the store's clock from the store's answers, to within a few milliseconds (up to a second on DynamoDB). The
    /// true time is between `now` and [`latest_now`](Self::latest_now). Therefore an expiry that is counted from `now` is never later than
    /// the true one.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the namespace in the store now belongs to another secret than this cache's.
    pub fn now(&self) -> Result<Timestamp> {
        Ok(self.keys()?.earliest)
    }

    /// Returns the latest time that the store's clock can show now. Does no I/O.
    ///
    /// Use it to check whether a time that the provider sent, such as an `iat`, is in the future. A time later than `latest_now` is
    /// certainly in the future on the store's clock. For the time of new tokens, use [`now`](Self::now).
    ///
    /// # Errors
    /// As [`now`](Self::now).
    pub fn latest_now(&self) -> Result<Timestamp> {
        Ok(self.keys()?.latest)
    }
}
