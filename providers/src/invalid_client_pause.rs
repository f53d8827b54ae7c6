use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use token_cache_core::{RefreshError, RefreshErrorKind, TokenSet};

/// The pause after the token endpoint refused the client.
const PAUSE: Duration = Duration::from_secs(10);

/// The pause of all requests to the token endpoint after `invalid_client`: the client secret has expired or is wrong.
///
/// The error concerns every user of the app. Without a pause, each request of each user would reach the provider, and providers lock
/// out clients that fail too often. After the pause one request is sent. The others get the error until its response arrives.
pub(crate) struct InvalidClientPause(Mutex<Option<(Instant, RefreshError)>>);

impl InvalidClientPause {
    pub(crate) const fn none() -> Self {
        Self(Mutex::new(None))
    }

    /// Returns the error again if the client was refused a moment ago.
    pub(crate) fn check(&self, now: Instant) -> Result<(), RefreshError> {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *refused {
            None => Ok(()),
            Some((until, error)) if now < *until => Err(error.clone()),
            Some((until, _)) => {
                *until = now + PAUSE;
                Ok(())
            }
        }
    }

    /// Starts a pause after `invalid_client`, and ends it after any other response.
    pub(crate) fn note(&self, outcome: &Result<TokenSet, RefreshError>, now: Instant) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let code = |error: &RefreshError| {
            error
                .response()
                .map(|response| response.code() == "invalid_client")
        };
        match outcome {
            Ok(_) => *refused = None,
            Err(error) if code(error) == Some(true) => {
                *refused = Some((now + PAUSE, error.clone()));
            }
            Err(error)
                if code(error) == Some(false) && error.kind() != RefreshErrorKind::Transient =>
            {
                *refused = None;
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_client_is_tried_once_in_a_while() {
        let refusal = InvalidClientPause::none();
        let begin = Instant::now();
        let at = |millis| begin + Duration::from_millis(millis);
        let refused = || Err(RefreshError::of_code("invalid_client"));
        refusal.check(at(0)).unwrap();
        refusal.note(&refused(), at(0));
        refusal.check(at(9_999)).unwrap_err();
        refusal.check(at(10_000)).unwrap();
        // The same while that request is in flight, and if its response never arrives.
        refusal.check(at(10_001)).unwrap_err();
        refusal.note(&Err(RefreshError::transient("503")), at(10_002));
        refusal.check(at(10_003)).unwrap_err();
        refusal.check(at(20_000)).unwrap();
        refusal.note(&Err(RefreshError::of_code("invalid_grant")), at(20_001));
        refusal.check(at(20_002)).unwrap();
        refusal.note(&refused(), at(20_003));
        refusal.note(&Ok(TokenSet::new("at").unwrap()), at(20_004));
        refusal.check(at(20_005)).unwrap();
    }
}
