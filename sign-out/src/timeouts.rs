use std::time::Duration;

use token_cache_core::Wait;

use crate::config::ConfigError;

/// The time limits for a provider's message and for every sign-out. Pass it to
/// [`SignOutRoutesBuilder::timeouts`](crate::SignOutRoutesBuilder::timeouts). The default is 600 ms for
/// [`keys`](Self::keys) and 1.2 s for [`sign_out`](Self::sign_out).
///
/// The limits bound how long the response to a logout message or a sign-out waits. A sign-out that takes longer is
/// answered with 503, and continues. If the provider then repeats its logout token or security event, the new request
/// waits for the running sign-out.
///
/// Providers disconnect early: the shortest known time is two and a half seconds. So the two limits must be less than
/// two seconds in sum, and neither may be zero. Otherwise [`build`](crate::SignOutRoutesBuilder::build) returns an
/// error.
///
/// The limit `sign_out` includes the wait for the near caches of the app servers. The default is enough for a
/// near-cache lease (`NearCacheConfig::lease`) of one second, even if an app server has
/// crashed. For a longer lease, set at least 1.02 times the lease plus 100 ms. On a store without a
/// [`Backplane`](token_cache_core::Backplane), the maximum age of near-cache entries counts in place of the lease.
/// [`build`](crate::SignOutRoutesBuilder::build) returns an error if `sign_out` is too short, unless
/// [`wait`](crate::SignOutRoutesBuilder::wait) is set to [`Wait::None`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For fetching the provider's keys.
    pub(crate) keys: Duration,
    /// For ending the sessions and waiting for near caches.
    pub(crate) sign_out: Duration,
}

/// The limit of the sum.
const MAX_TOTAL: Duration = Duration::from_secs(2);

/// The time for the store's requests, in addition to the wait for near caches.
const REQUEST_TIME: Duration = Duration::from_millis(100);

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            keys: Duration::from_millis(600),
            sign_out: Duration::from_millis(1_200),
        }
    }
}

impl Timeouts {
    /// Sets how long a provider's message may wait until the provider's keys are fetched. The default is 600 ms. After
    /// that, the response is 503, and the message is verified later as
    /// [`back_channel_logout`](crate::SignOutRoutes::back_channel_logout) describes.
    /// [`build`](crate::SignOutRoutesBuilder::build) refuses zero, and limits that are two seconds or more in sum.
    ///
    /// The app's own sign-out ([`logout`](crate::SignOutRoutes::logout)) waits at most this long for the provider's
    /// discovery document, which names the logout endpoint. After that, the response is a page that says that the user
    /// is signed out only in this app.
    pub fn keys(mut self, timeout: Duration) -> Self {
        self.keys = timeout;
        self
    }

    /// Sets how long a response may wait for a sign-out, including the wait for the near caches of all app servers. The
    /// default is 1.2 s. After that, the response is 503, and the sign-out continues.
    /// [`build`](crate::SignOutRoutesBuilder::build) refuses zero, limits that are two seconds or more in sum, and a
    /// limit that is too short for the near caches, as [`Timeouts`] describes.
    pub fn sign_out(mut self, timeout: Duration) -> Self {
        self.sign_out = timeout;
        self
    }

    pub(crate) fn validated(self) -> Result<Self, ConfigError> {
        let sum = self.keys.saturating_add(self.sign_out);
        if sum >= MAX_TOTAL {
            return Err(ConfigError::new(format!(
                "the timeouts `keys` ({:?}) and `sign_out` ({:?}) are {sum:?} together, and providers disconnect soon after \
                 {MAX_TOTAL:?}; set timeouts with a smaller sum",
                self.keys, self.sign_out,
            )));
        }
        if self.keys.is_zero() || self.sign_out.is_zero() {
            return Err(ConfigError::new(
                "a timeout of zero leaves no time for a request; set a longer one or keep the default",
            ));
        }
        Ok(self)
    }

    /// Checks that the sign-out timeout is enough for near caches that a disconnected server serves for
    /// `longest_near_cache_life`.
    pub(crate) fn for_near_cache(
        self,
        longest_near_cache_life: Duration,
        wait: Wait,
    ) -> Result<Self, ConfigError> {
        if longest_near_cache_life.is_zero() || wait == Wait::None {
            return Ok(self);
        }
        // The longest wait, if this server's clock is slower than the other server's.
        let needed = longest_near_cache_life + longest_near_cache_life / 50 + REQUEST_TIME;
        if self.sign_out >= needed {
            return Ok(self);
        }
        Err(ConfigError::new(format!(
            "near caches may serve entries for up to {longest_near_cache_life:?}, so a sign-out may take {needed:?}, and the timeout \
             `sign_out` is {:?}; raise it, with a sum of all timeouts under {MAX_TOTAL:?}, or shorten the lease or the maximum age of the \
             near caches on every server, or use `wait(Wait::None)`, with which sign-outs return before they are final",
            self.sign_out,
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_whose_sum_providers_would_not_wait_for_are_refused() {
        assert!(Timeouts::default().validated().is_ok());
        let timeouts = |keys, sign_out| Timeouts {
            keys: Duration::from_millis(keys),
            sign_out: Duration::from_millis(sign_out),
        };
        assert!(timeouts(999, 1_000).validated().is_ok());
        let refused = timeouts(1_000, 1_000).validated().unwrap_err();
        assert!(refused.to_string().contains("2s"), "{refused}");
        assert!(timeouts(0, 1_000).validated().is_err());
        let endless = Timeouts {
            keys: Duration::MAX,
            sign_out: Duration::MAX,
        };
        assert!(endless.validated().is_err());
    }

    #[test]
    fn the_eviction_must_have_time_for_the_longest_wait_for_cached_entries() {
        let fits =
            |millis, wait| Timeouts::default().for_near_cache(Duration::from_millis(millis), wait);
        assert!(fits(0, Wait::Everywhere).is_ok());
        assert!(fits(1_000, Wait::Everywhere).is_ok());
        let refused = fits(1_100, Wait::Everywhere).unwrap_err().to_string();
        for number in ["1.1s", "1.222s", "1.2s"] {
            assert!(refused.contains(number), "{refused}");
        }
        assert!(fits(60_000, Wait::None).is_ok());
    }
}
