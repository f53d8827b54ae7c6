use std::time::Duration;

use token_cache_core::Wait;

use crate::ConfigError;

/// How long a provider's message may take, step by step, from its last byte to the answer.
///
/// Providers hang up: the shortest time known is two and a half seconds, so the sum must stay under two. What is late goes on
/// all the same; the provider is answered with 503 and its next try joins it.
///
/// Where servers keep near caches, the eviction's bound holds the wait for them too: as they come, bounds are enough for a lease of a
/// second, also where a server has died. Routes whose bounds are not enough for the fleet are refused when they are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To get the provider's keys, where they are not at hand: 600 ms.
    pub(crate) keys: Duration,
    /// To end the sessions, and to wait until no server can serve a near-cache entry of them: 1.2 s.
    pub(crate) sign_out: Duration,
}

/// What all bounds together must stay under.
const MAX_TOTAL: Duration = Duration::from_secs(2);

/// What an eviction's requests need beside the wait for near caches.
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
    /// Sets how long a message may wait for the provider's keys. The default is 600 ms.
    pub fn keys(mut self, timeout: Duration) -> Self {
        self.keys = timeout;
        self
    }

    /// Sets how long a sign-out may take, with the wait for near caches. The default is 1.2 s.
    pub fn sign_out(mut self, timeout: Duration) -> Self {
        self.sign_out = timeout;
        self
    }

    pub(crate) fn validated(self) -> Result<Self, ConfigError> {
        let sum = self.keys.saturating_add(self.sign_out);
        if sum >= MAX_TOTAL {
            return Err(ConfigError::new(format!(
                "keys ({:?}) and eviction ({:?}) may take {sum:?} together, and providers hang up soon after {MAX_TOTAL:?}; \
                 set bounds whose sum is under it",
                self.keys, self.sign_out,
            )));
        }
        if self.keys.is_zero() || self.sign_out.is_zero() {
            return Err(ConfigError::new(
                "a bound of zero leaves no time to do anything; leave it as it comes",
            ));
        }
        Ok(self)
    }

    /// Whether they are enough where a server that hears nothing serves near caches for so long.
    pub(crate) fn for_near_cache(
        self,
        longest_near_cache_life: Duration,
        wait: Wait,
    ) -> Result<Self, ConfigError> {
        if longest_near_cache_life.is_zero() || wait == Wait::None {
            return Ok(self);
        }
        // The longest wait, on a clock that goes slower than the other server's.
        let needed = longest_near_cache_life + longest_near_cache_life / 50 + REQUEST_TIME;
        if self.sign_out >= needed {
            return Ok(self);
        }
        Err(ConfigError::new(format!(
            "servers keep local copies for up to {longest_near_cache_life:?}, so an eviction may take {needed:?}, and it is given {:?}; \
             give it more, while all bounds together stay under {MAX_TOTAL:?}; or set a shorter lease, or a lower greatest age where the \
             store has no link, on every server; or answer before copies are gone, by `wait(Wait::None)`",
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
