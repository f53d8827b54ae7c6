use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use subtle::ConstantTimeEq;
use token_cache_core::{Error, ErrorKind, Result};
use url::Url;

use crate::{ConfigError, cookies::HostCookie};

const NAME: &str = "signing-out";

/// How long a user may look at the provider's page.
const LIFE: Duration = Duration::from_secs(10 * 60);

/// Remembers, in the browser that signs out, the `state` it was sent to the provider with (RP-Initiated Logout 1.0 section 3).
#[derive(Debug, Clone)]
pub(crate) struct StateCookie(HostCookie);

impl StateCookie {
    /// The cookie of an app that the provider sends the browser back to at `return_to`.
    pub(crate) fn at(return_to: &Url) -> Result<Self, ConfigError> {
        HostCookie::at(return_to, NAME).map(Self)
    }

    /// A new state, which nobody can guess.
    pub(crate) fn mint() -> Result<String> {
        let mut state = [0; 16];
        getrandom::fill(&mut state).map_err(|source| {
            Error::new(ErrorKind::Unexpected, "draw a state")
                .message("the operating system gave no random bytes")
                .with_source(source)
        })?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(state))
    }

    pub(crate) fn set(&self, state: &str) -> HeaderValue {
        self.0.set(state, Some(LIFE))
    }

    /// The header that makes a state good for one return only.
    pub(crate) fn removal(&self) -> HeaderValue {
        self.0.removal()
    }

    /// True where the provider sent back what this browser was sent there with.
    pub(crate) fn confirms(&self, headers: &HeaderMap, state: &str) -> bool {
        self.0
            .read(headers)
            .is_some_and(|sent| !sent.is_empty() && sent.as_bytes().ct_eq(state.as_bytes()).into())
    }
}
