use std::time::Duration;

use super::{
    Ring,
    sealed_text::{invalid_text, sealed_text},
    ticket::take,
};
use crate::{Error, ErrorKind, Result, Timestamp};

sealed_text! {
    /// The start of a sign-in, encrypted: the time of its authorization request, and the `max_age` of that request if it had one.
    ///
    /// [`TokenCache::start_sign_in`](crate::TokenCache::start_sign_in) returns it before the redirect to the provider. The app stores its
    /// [text](Self::to_text) in a cookie. In the callback from the provider, the app parses the text, and passes the value to
    /// [`SignIn`](crate::SignIn).
    ///
    /// The value is valid for the [`sign_in_timeout`](crate::TokenCacheBuilder::sign_in_timeout) of the cache. Afterwards,
    /// [`TokenCache::sign_in`](crate::TokenCache::sign_in) refuses it with [`SignInRevoked`](crate::ErrorKind::SignInRevoked).
    ///
    /// If the user was signed out between the request and the callback, `sign_in` refuses the sign-in with the same error (G2).
    StartedSignIn, "started sign-in"
}

/// The decrypted content of a [`StartedSignIn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Started {
    /// On the store's clock.
    pub(crate) requested_at: Timestamp,
    pub(crate) max_age: Option<Duration>,
}

impl StartedSignIn {
    pub(crate) fn seal(ring: &Ring, started: Started) -> Result<Self> {
        let mut plain = started.requested_at.as_millis().to_be_bytes().to_vec();
        if let Some(max_age) = started.max_age {
            plain.extend_from_slice(&max_age.as_secs().to_be_bytes());
        }
        ring.seal(Self::PURPOSE, &plain).map(Self::from_sealed)
    }

    pub(crate) fn open(&self, ring: &Ring) -> Result<Started> {
        let plain = ring
            .open(Self::PURPOSE, self.sealed())
            .map_err(|error| invalid_text(self.sealed(), error))?;
        let mut rest = plain.as_slice();
        let requested_at = take(&mut rest).map(u64::from_be_bytes);
        let max_age = take(&mut rest).map(u64::from_be_bytes);
        match requested_at {
            Some(millis) if rest.is_empty() => Ok(Started {
                requested_at: Timestamp::from_millis(millis),
                max_age: max_age.map(Duration::from_secs),
            }),
            _ => Err(
                Error::new(ErrorKind::InvalidTicket, "open a started sign-in")
                    .message("its length is wrong; have the user sign in again"),
            ),
        }
    }
}
