use std::time::Duration;

use crate::{Error, ErrorKind, Result, Timestamp, util::log::warn};

/// The start of the year 2000. No OpenID provider authenticated a user before it.
pub(crate) const THIS_CENTURY: Timestamp = Timestamp::from_secs(946_684_800);

/// How far a provider's clock may be ahead of the store's.
pub(crate) const MOST_PROVIDER_AHEAD: Duration = Duration::from_secs(5 * 60);

/// How far a provider's clock may be behind when `max_age` is checked.
const MAX_AGE_LEEWAY: Duration = Duration::from_secs(60);

/// From this `max_age` on, apps mostly use the parameter only to receive an `auth_time`.
const LONG_MAX_AGE: Duration = Duration::from_secs(24 * 3600);

/// The `auth_time` of an ID token, after a check of its plausibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthTime {
    Missing,
    /// Ignored: zero, before the year 2000, or more than [`MOST_PROVIDER_AHEAD`] ahead of the store's clock.
    Implausible,
    At(Timestamp),
}

impl AuthTime {
    /// Checks the `auth_time` of an ID token at `now` on the store's clock. Logs at WARN if it is ignored.
    pub(crate) fn judge(said: Option<Timestamp>, now: Timestamp, issuer: &str) -> Self {
        let Some(at) = said else { return Self::Missing };
        let why = if at < THIS_CENTURY {
            "it is before the year 2000"
        } else if at > now + MOST_PROVIDER_AHEAD {
            "it is over 5 minutes ahead of the store's clock; a value in milliseconds looks like this"
        } else {
            return Self::At(at);
        };
        warn(
            "auth_time_ignored",
            format_args!(
                "the `auth_time` {} of an ID token of {issuer:?} was ignored: {why}. Check the provider's clock and its ID \
                 tokens; until then a delayed logout message can end a session that began after it",
                at.as_millis() / 1_000,
            ),
        );
        Self::Implausible
    }

    pub(crate) fn time(self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::Missing | Self::Implausible => None,
        }
    }

    /// Refuses an authentication that is older than the `max_age` of the authorization request, which was sent at `requested_at`
    /// (OpenID Connect Core 1.0 section 3.1.3.7, step 13).
    pub(crate) fn check_max_age(
        self,
        max_age: Option<Duration>,
        requested_at: Timestamp,
    ) -> Result<()> {
        let Some(max_age) = max_age else {
            return Ok(());
        };
        let refused = |message: &str| {
            Err(
                Error::new(ErrorKind::SignInRevoked, "sign in").message(format!(
                    "`max_age` is {} s, and {message}",
                    max_age.as_secs()
                )),
            )
        };
        match self {
            Self::At(at) if at + max_age + MAX_AGE_LEEWAY >= requested_at => Ok(()),
            Self::At(_) => refused(
                "the user authenticated at the provider longer ago than that; send the user there again with `prompt=login`",
            ),
            // An error here would lock out every user of a provider that always sends a wrong value.
            Self::Implausible if max_age >= LONG_MAX_AGE => Ok(()),
            Self::Implausible => refused(
                "the ID token's `auth_time` cannot be right; this provider cannot prove a recent authentication",
            ),
            Self::Missing => refused(
                "the ID token has no `auth_time`; have the provider send it (it must, with `max_age`), or send no `max_age`",
            ),
        }
    }
}

/// Returns the end of a session of `lifetime`, limited by the `session_expiry` of the ID token.
pub(crate) fn session_end(
    now: Timestamp,
    lifetime: Duration,
    session_expiry: Option<Timestamp>,
    issuer: &str,
) -> Result<Timestamp> {
    let end = now + lifetime;
    match session_expiry {
        None => Ok(end),
        Some(expiry) if expiry < THIS_CENTURY => {
            warn(
                "session_expiry_ignored",
                format_args!(
                    "the `session_expiry` {} of an ID token of {issuer:?} was ignored: it is before the year 2000. Check the \
                     provider's ID tokens; the session lives as long as the app set",
                    expiry.as_millis() / 1_000,
                ),
            );
            Ok(end)
        }
        Some(expiry) if expiry <= now => Err(Error::new(ErrorKind::SignInRevoked, "sign in").message(
            "the `session_expiry` of the ID token has passed; send the user to the provider again with `prompt=login`",
        )),
        Some(expiry) => Ok(end.min(expiry)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn judge(secs: u64) -> AuthTime {
        AuthTime::judge(Some(Timestamp::from_secs(secs)), NOW, "https://id.example")
    }

    #[test]
    fn an_auth_time_that_cannot_be_right_is_ignored() {
        for (secs, expected) in [
            (0, AuthTime::Implausible),
            (946_684_799, AuthTime::Implausible),
            (946_684_800, AuthTime::At(THIS_CENTURY)),
            (1_700_000_000, AuthTime::At(NOW)),
            (1_700_000_300, AuthTime::At(NOW + MOST_PROVIDER_AHEAD)),
            (1_700_000_301, AuthTime::Implausible),
            // Milliseconds.
            (1_700_000_000_000, AuthTime::Implausible),
            (u64::MAX, AuthTime::Implausible),
        ] {
            assert_eq!(judge(secs), expected, "{secs}");
        }
        assert_eq!(
            AuthTime::judge(None, NOW, "https://id.example"),
            AuthTime::Missing
        );
    }

    #[test]
    fn max_age_refuses_an_older_authentication() {
        let refused = |auth_time: AuthTime, max_age: Duration| {
            let checked = auth_time.check_max_age(Some(max_age), NOW);
            checked.is_err_and(|error| error.kind() == ErrorKind::SignInRevoked)
        };
        assert!(!refused(judge(1_700_000_000 - 3_600 - 60), HOUR));
        assert!(refused(judge(1_700_000_000 - 3_600 - 61), HOUR));
        assert!(!refused(judge(1_700_000_100), Duration::ZERO));
        assert!(refused(judge(1_699_999_000), Duration::ZERO));
        assert!(refused(AuthTime::Missing, 1_000 * HOUR));
        assert!(refused(judge(0), HOUR));
        assert!(!refused(judge(0), 1_000 * HOUR));
        judge(946_684_800).check_max_age(None, NOW).unwrap();
    }

    #[test]
    fn session_expiry_limits_the_lifetime() {
        let end = |expiry: Option<u64>| {
            let expiry = expiry.map(Timestamp::from_secs);
            session_end(NOW, HOUR, expiry, "https://id.example")
        };
        assert_eq!(end(None).unwrap(), NOW + HOUR);
        assert_eq!(
            end(Some(1_700_000_060)).unwrap(),
            NOW + Duration::from_secs(60)
        );
        assert_eq!(end(Some(1_800_000_000)).unwrap(), NOW + HOUR);
        assert_eq!(end(Some(1_700_000_000_000)).unwrap(), NOW + HOUR);
        assert_eq!(end(Some(0)).unwrap(), NOW + HOUR);
        assert_eq!(
            end(Some(1_700_000_000)).unwrap_err().kind(),
            ErrorKind::SignInRevoked
        );
    }
}
