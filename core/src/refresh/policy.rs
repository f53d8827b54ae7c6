use std::time::Duration;

use crate::{Error, Result};

/// What is done with a refresh token that was sent and whose answer was lost: its holder died, or the provider never answered.
/// No cache can know whether the provider used it up (G6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the choice is between these two, and no cache has a third"
)]
pub enum AfterLostAnswer {
    /// The next refresh sends it once more. Most providers allow that for a while; one that does not takes it for theft and
    /// revokes the whole family, so the user signs in again.
    #[default]
    SendAgain,
    /// The session ends, and the token is not sent again. It costs each refresh one request more.
    EndSession,
}

/// How a cache refreshes: see [`TokenCacheBuilder::refresh`](crate::TokenCacheBuilder::refresh).
///
/// ```
/// use std::time::Duration;
/// use token_cache_core::RefreshPolicy;
///
/// let mut policy = RefreshPolicy::default();
/// policy.provider_timeout = Duration::from_secs(15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefreshPolicy {
    /// How long a refresh lock is held without being renewed: 10 seconds. A server that dies within a refresh holds the
    /// others up for so long.
    pub lease: Duration,
    /// How long the provider may take to answer: 30 seconds.
    pub provider_timeout: Duration,
    /// How long revoking a token may take: 5 seconds.
    pub revocation_timeout: Duration,
    /// How many refreshes ahead of an expiry may run in the background at once: 32. With 0 there are none.
    pub ahead: usize,
    /// How long the provider is left alone after a transient failure that says no time of its own: one second.
    pub pause: Duration,
    /// What is done with a refresh token whose answer was lost.
    pub after_lost_answer: AfterLostAnswer,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(10),
            provider_timeout: Duration::from_secs(30),
            revocation_timeout: Duration::from_secs(5),
            ahead: 32,
            pause: Duration::from_secs(1),
            after_lost_answer: AfterLostAnswer::SendAgain,
        }
    }
}

impl RefreshPolicy {
    /// A lease much longer than a request to the store, and times that somebody waits for.
    pub(crate) fn checked(self) -> Result<Self> {
        let within = |what: &str, time: Duration, least: Duration, most: Duration| {
            if (least..=most).contains(&time) {
                return Ok(());
            }
            Err(Error::misuse(
                "open the cache",
                format!("the refresh policy's {what} is {least:?} to {most:?}"),
            ))
        };
        let (second, minutes) = (Duration::from_secs(1), Duration::from_secs(300));
        within("lease", self.lease, second, minutes)?;
        within("provider timeout", self.provider_timeout, second, minutes)?;
        within(
            "revocation timeout",
            self.revocation_timeout,
            second,
            minutes,
        )?;
        within("pause", self.pause, Duration::from_millis(10), minutes)?;
        Ok(self)
    }

    /// How long a caller waits for another server's refresh: as long as that may take, and its lock after it if it died.
    pub(crate) fn patience(&self) -> Duration {
        self.provider_timeout + self.lease * 2
    }
}
