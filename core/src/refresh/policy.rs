use std::time::Duration;

use super::{RefreshError, RefreshErrorKind};
use crate::{Error, Result, types::token_response::LONGEST_LIFETIME};

/// The largest number of refreshes in the background.
const MOST_AHEAD: usize = 1_000_000;

/// The longest pause that a provider did not request.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The longest pause that a provider may request.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The choice whether a refresh token is sent again after the provider's answer to it was lost, for [`RefreshPolicy::after_lost_answer`].
///
/// An answer is lost if the app server that sent the refresh token died, or if the provider's answer did not arrive or could not be read.
/// The cache then cannot know whether the provider has used the refresh token up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a token is either sent again or not"
)]
pub enum AfterLostAnswer {
    /// The next refresh sends the same refresh token once more, although the provider may have used it up. Most providers allow that for a
    /// while. A provider that does not allow it treats the refresh token as stolen, and revokes all tokens of the same sign-in. The user
    /// must then sign in again.
    #[default]
    SendAgain,
    /// The next refresh does not send the refresh token whose answer was lost. It ends the session, and callers get
    /// [`SignedOut`](crate::ErrorKind::SignedOut).
    ///
    /// With this choice, each refresh sends at least two more requests to the store: it records that it is about to send the refresh token,
    /// and renews its [refresh lock](crate::RefreshLocks).
    EndSession,
}

/// The times and limits of all refreshes of a cache. Pass it to [`TokenCacheBuilder::refresh`](crate::TokenCacheBuilder::refresh).
///
/// [`TokenCacheBuilder::open`](crate::TokenCacheBuilder::open) returns [`Misuse`](crate::ErrorKind::Misuse) if a value is out of its range.
///
/// ```
/// use std::time::Duration;
/// use token_cache::refresh::RefreshPolicy;
///
/// let mut policy = RefreshPolicy::default();
/// policy.provider_timeout = Duration::from_secs(15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefreshPolicy {
    /// The time for which a refresh lock lasts without being renewed: 10 seconds by default, from one second to five minutes.
    /// [`open`](crate::TokenCacheBuilder::open) refuses other values with [`Misuse`](crate::ErrorKind::Misuse). The lock is the right of
    /// one app server to send an entry's refresh token to the provider ([`RefreshLocks`](crate::RefreshLocks)). If a server dies during a
    /// refresh, the other servers wait at most this long before one of them refreshes.
    pub lease: Duration,
    /// The longest time that the provider may take to answer a refresh: 30 seconds by default, from one second to five minutes.
    /// [`open`](crate::TokenCacheBuilder::open) refuses other values with [`Misuse`](crate::ErrorKind::Misuse).
    ///
    /// After this time, the refresh fails as [`Transient`](RefreshErrorKind::Transient). Its answer counts as
    /// [lost](RefreshError::answer_lost), so [`after_lost_answer`](Self::after_lost_answer) decides what the next refresh does.
    pub provider_timeout: Duration,
    /// The longest time that the provider may take to revoke a token: 5 seconds by default, from two seconds to five minutes.
    /// [`open`](crate::TokenCacheBuilder::open) refuses other values with [`Misuse`](crate::ErrorKind::Misuse). After this time, the
    /// revocation is aborted and logged, and the token may stay valid at the provider.
    /// [`Session::sign_out_and_revoke`](crate::Session::sign_out_and_revoke) starts a revocation, and so does a refresh whose new refresh
    /// token cannot be stored.
    pub revocation_timeout: Duration,
    /// The largest number of refreshes of tokens that are not due yet, which run at once in the background of this process: 32 by default.
    /// At the limit, and with the value 0, no further refresh is started before the tokens are due.
    /// [`open`](crate::TokenCacheBuilder::open) refuses a value over 1,000,000 with [`Misuse`](crate::ErrorKind::Misuse).
    pub ahead: usize,
    /// The time for which this server does not call the provider again after a failed refresh: one second by default, from 10 milliseconds
    /// to five minutes. [`open`](crate::TokenCacheBuilder::open) refuses other values with [`Misuse`](crate::ErrorKind::Misuse).
    ///
    /// The value is the pause after a [`Transient`](RefreshErrorKind::Transient) failure. After a failure of another
    /// [kind](RefreshErrorKind), the pause is ten times as long, and after a [lost answer](RefreshError::answer_lost) twenty times. A pause
    /// is at most five minutes. After a `Transient` failure, the provider's `Retry-After` can make it longer, up to a day.
    ///
    /// A pause applies to all refreshes with the same refresh token. If the provider refused the request for one entry, the pause applies
    /// only to that entry. During the pause, calls that need new tokens get the same error again. A pause ends early when other tokens are
    /// stored in place of those whose refresh failed. Each server has its own pauses.
    pub pause: Duration,
    /// The assumed lifetime of an access token for which the provider states none, from one second to ten years.
    /// [`open`](crate::TokenCacheBuilder::open) refuses other values with [`Misuse`](crate::ErrorKind::Misuse). `None`, the default, means
    /// unlimited: such a token is refreshed only when the app [rejects](crate::RefreshOptions::rejected) it.
    ///
    /// The lifetime is counted from [`TokenSet::issued_at`](crate::TokenSet::issued_at). It applies only to tokens that can be refreshed:
    /// they have a refresh token, or the call sets [`spending`](crate::RefreshOptions::spending) or
    /// [`without_refresh_token`](crate::RefreshOptions::without_refresh_token). After this lifetime, the access token is due for a refresh.
    /// It is still returned while the provider is unavailable.
    pub default_lifetime: Option<Duration>,
    /// The choice of what the next refresh does if a refresh token was sent and the provider's answer was lost. By default, it sends the
    /// refresh token once more ([`AfterLostAnswer::SendAgain`]).
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
            // The sign-out routes let a second pass before they send the request.
            2 * second,
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
        if self.ahead > MOST_AHEAD {
            return Err(Error::misuse(
                "open the cache",
                format!(
                    "the refresh policy's number of refreshes ahead is {}; it must be at most {MOST_AHEAD}",
                    self.ahead
                ),
            ));
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
