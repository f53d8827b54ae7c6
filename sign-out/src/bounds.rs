use std::time::Duration;

use crate::ConfigError;

/// How long a provider's message may take, step by step, from its last byte to the answer.
///
/// Providers hang up: the shortest time known is two and a half seconds, so the sum must stay under two. What is late goes on
/// all the same; the provider is answered with 503 and its next try joins it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// To get the provider's keys, where they are not at hand: 600 ms.
    pub keys: Duration,
    /// To end the sessions: 1.2 s.
    pub eviction: Duration,
}

/// What all bounds together must stay under.
const LIMIT: Duration = Duration::from_secs(2);

impl Default for Bounds {
    fn default() -> Self {
        Self {
            keys: Duration::from_millis(600),
            eviction: Duration::from_millis(1_200),
        }
    }
}

impl Bounds {
    pub(crate) fn checked(self) -> Result<Self, ConfigError> {
        let sum = self.keys.saturating_add(self.eviction);
        if sum >= LIMIT {
            return Err(ConfigError::new(format!(
                "keys ({:?}) and eviction ({:?}) may take {sum:?} together, and providers hang up soon after {LIMIT:?}; \
                 set bounds whose sum is under it",
                self.keys, self.eviction,
            )));
        }
        if self.keys.is_zero() || self.eviction.is_zero() {
            return Err(ConfigError::new(
                "a bound of zero leaves no time to do anything; leave it as it comes",
            ));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_whose_sum_providers_would_not_wait_for_are_refused() {
        assert!(Bounds::default().checked().is_ok());
        let bounds = |keys, eviction| Bounds {
            keys: Duration::from_millis(keys),
            eviction: Duration::from_millis(eviction),
        };
        assert!(bounds(999, 1_000).checked().is_ok());
        let refused = bounds(1_000, 1_000).checked().unwrap_err();
        assert!(refused.to_string().contains("2s"), "{refused}");
        assert!(bounds(0, 1_000).checked().is_err());
        let endless = Bounds {
            keys: Duration::MAX,
            eviction: Duration::MAX,
        };
        assert!(endless.checked().is_err());
    }
}
