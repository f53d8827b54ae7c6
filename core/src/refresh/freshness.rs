use std::time::Duration;

use crate::{Timestamp, TokenSet};

/// An access token that expires on its way to the API is useless.
const LEEWAY: Duration = Duration::from_secs(5);

/// How long before its expiry a token of unknown lifetime is refreshed ahead.
const AHEAD: Duration = Duration::from_secs(30);

/// The state of tokens at a given time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// The tokens are used as they are.
    Fresh,
    /// The tokens are in the last tenth of their lifetime: they are used, and refreshed in the background.
    Ageing,
    /// The tokens have expired, or would expire on their way.
    Due,
}

impl Freshness {
    /// Returns the state of `tokens` at `now`. `default_lifetime` is for tokens of unknown lifetime. Without it, they stay fresh.
    pub(super) fn of(
        tokens: &TokenSet,
        now: Timestamp,
        default_lifetime: Option<Duration>,
    ) -> Self {
        let assumed = || Some(tokens.issued_at()? + default_lifetime?);
        let Some(expires_at) = tokens.expires_at().or_else(assumed) else {
            return Self::Fresh;
        };
        let life = tokens
            .issued_at()
            .map(|issued_at| expires_at.since(issued_at));
        let leeway = life.map_or(LEEWAY, |life| LEEWAY.min(life / 20));
        let ahead = life.map_or(AHEAD, |life| life / 10);
        if expires_at <= now + leeway {
            Self::Due
        } else if expires_at <= now + ahead {
            Self::Ageing
        } else {
            Self::Fresh
        }
    }
}

/// Returns `true` if the access token may still be sent.
pub(super) fn is_valid(tokens: &TokenSet, now: Timestamp) -> bool {
    tokens
        .expires_at()
        .is_none_or(|expires_at| now < expires_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now: u64, issued_at: Option<u64>) -> Freshness {
        let mut tokens = TokenSet::new("at")
            .unwrap()
            .with_expires_at(Timestamp::from_secs(1_000));
        if let Some(issued_at) = issued_at {
            tokens = tokens.with_issued_at(Timestamp::from_secs(issued_at));
        }
        Freshness::of(&tokens, Timestamp::from_secs(now), None)
    }

    #[test]
    fn the_last_tenth_of_a_life_is_ageing_and_its_end_is_due() {
        assert_eq!(at(899, Some(0)), Freshness::Fresh);
        assert_eq!(at(900, Some(0)), Freshness::Ageing);
        assert_eq!(at(994, Some(0)), Freshness::Ageing);
        assert_eq!(at(995, Some(0)), Freshness::Due);
    }

    #[test]
    fn a_short_life_is_not_all_leeway() {
        assert_eq!(at(998, Some(990)), Freshness::Fresh);
        assert_eq!(at(999, Some(990)), Freshness::Ageing);
        assert_eq!(at(1_000, Some(990)), Freshness::Due);
    }

    #[test]
    fn an_unknown_life_is_taken_for_a_long_one() {
        assert_eq!(at(969, None), Freshness::Fresh);
        assert_eq!(at(970, None), Freshness::Ageing);
        assert_eq!(at(995, None), Freshness::Due);
    }

    #[test]
    fn without_an_expiry_tokens_stay_fresh_for_the_default_lifetime() {
        let tokens = TokenSet::new("at").unwrap();
        let issued = tokens.clone().with_issued_at(Timestamp::from_secs(1_000));
        let lifetime = Some(Duration::from_secs(100));
        for (tokens, now, lifetime, expected) in [
            (&issued, 1_000_000, None, Freshness::Fresh),
            (&issued, 1_089, lifetime, Freshness::Fresh),
            (&issued, 1_090, lifetime, Freshness::Ageing),
            (&issued, 1_095, lifetime, Freshness::Due),
            // The time of issue is unknown.
            (&tokens, 1_000_000, lifetime, Freshness::Fresh),
        ] {
            let now = Timestamp::from_secs(now);
            assert_eq!(Freshness::of(tokens, now, lifetime), expected, "{now:?}");
        }
    }
}
