use std::time::Duration;

use super::{RefreshError, RefreshErrorKind};
use crate::{Error, Result, token_response::LONGEST_LIFETIME};

/// The longest pause that a provider did not request.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The longest pause that a provider may request.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The treatment of a refresh token that was sent to the provider and whose answer was lost, for [`RefreshPolicy::after_lost_answer`].
///
/// An answer is lost if the server that sent the token died, or if the provider's answer did not arrive or could not be read. No cache
/// can know whether the provider used the token up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a token is either sent again or not"
)]
pub enum AfterLostAnswer {
    /// The next refresh sends it once more. Most providers allow that for a while. A provider that does not treats the token as
    /// stolen and revokes the whole family, so the user must sign in again.
    #[default]
    SendAgain,
    /// The next refresh ends the session with [`SignedOut`](crate::ErrorKind::SignedOut), and the token is not sent again. Each refresh
    /// then sends at least two more requests to the store: it records that it is about to send the token, and renews its lock.
    EndSession,
}

/// The times and limits of all refreshes of a cache, for [`TokenCacheBuilder::refresh`](crate::TokenCacheBuilder::refresh).
///
/// [`TokenCacheBuilder::open`](crate::TokenCacheBuilder::open) refuses a value out of its range with
/// [`Misuse`](crate::ErrorKind::Misuse).
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
    /// How long a refresh lock lasts without being renewed: 10 seconds by default, from one second to five minutes. If a server dies
    /// during a refresh, the others wait this long before one of them refreshes.
    pub lease: Duration,
    /// How long the provider may take to answer a refresh: 30 seconds by default, from one second to five minutes. After that, the answer
    /// counts as lost.
    pub provider_timeout: Duration,
    /// How long revoking a token may take: 5 seconds by default, from one second to five minutes.
    pub revocation_timeout: Duration,
    /// How many refreshes ahead of an expiry may run in the background of this process at once: 32 by default. The value 0 turns them off.
    pub ahead: usize,
    /// How long a server does not call the provider again after a transient failure without a `Retry-After`: one second by default, from 10
    /// milliseconds to five minutes.
    ///
    /// After a refusal or an unusable answer the pause is ten times as long, and after a lost answer twenty times, up to five minutes. A
    /// pause applies to one refresh token, or to one entry if the provider refused what was requested for it. During the pause, callers get
    /// the error again. A pause ends early when other tokens are stored. Each server has its own pauses.
    pub pause: Duration,
    /// The assumed lifetime of an access token if the provider does not state one, from one second to ten years. `None`, the default, means
    /// unlimited: such a token is refreshed only when the app [rejects](crate::RefreshOptions::rejected) it.
    ///
    /// The lifetime is counted from [`TokenSet::issued_at`](crate::TokenSet::issued_at). It applies to tokens that can be refreshed. A
    /// token of this kind that has expired is still served while the provider is unavailable.
    pub default_lifetime: Option<Duration>,
    /// The treatment of a refresh token whose answer was lost: [`AfterLostAnswer::SendAgain`] by default.
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
            default_lifetime: None,
            after_lost_answer: AfterLostAnswer::SendAgain,
        }
    }
}

impl RefreshPolicy {
    /// Returns the policy if all its values are in range: the lease is much longer than a request to the store, and callers do
    /// not wait too long.
    pub(crate) fn checked(self) -> Result<Self> {
        let within = |what: &str, time: Duration, least: Duration, most: Duration| {
            if (least..=most).contains(&time) {
                return Ok(());
            }
            Err(Error::misuse(
                "open the cache",
                format!(
                    "the refresh policy's {what} is {time:?}; it must be between {least:?} and {most:?}"
                ),
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
        within(
            "pause",
            self.pause,
            Duration::from_millis(10),
            LONGEST_PAUSE,
        )?;
        if let Some(lifetime) = self.default_lifetime {
            within("default lifetime", lifetime, second, LONGEST_LIFETIME)?;
        }
        Ok(self)
    }

    /// Returns how long the provider is not called after this failure. A provider that asks for more than a day is called again
    /// after one.
    pub(crate) fn pause_after(&self, error: &RefreshError) -> Duration {
        let is_transient = error.kind() == RefreshErrorKind::Transient;
        let times = match error.kind() {
            _ if error.is_answer_lost() => 20,
            RefreshErrorKind::Transient => 1,
            _ => 10,
        };
        let own = (self.pause * times).min(LONGEST_PAUSE);
        match error.pause() {
            Some(asked_for) if is_transient => asked_for.clamp(own, LONGEST_RETRY_AFTER.max(own)),
            _ => own,
        }
    }

    /// Returns how long a caller waits for another server's refresh: as long as it may take, and the time until its lock expires
    /// if that server died.
    pub(crate) fn patience(&self) -> Duration {
        self.provider_timeout + self.lease * 2
    }
}
