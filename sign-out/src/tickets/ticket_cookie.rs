use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderValue, request::Parts};
use token_cache_core::{Error, ErrorKind, Result, Ticket};

use super::{cookies::read_bytes, host_cookie::HostCookie, source::TicketSource};
use crate::config::ConfigError;

/// A cookie that stores only the [`Ticket`] of a session: `HttpOnly`, `Secure`, `SameSite=Lax`, for one host
/// (`__Host-`). Pass it to [`SignOutRoutesBuilder::ticket_source`](crate::SignOutRoutesBuilder::ticket_source), so that
/// the [sign-out routes](crate::SignOutRoutes) read and remove the ticket. Call [`set`](Self::set) at each sign-in.
///
/// The ticket is encrypted and authenticated, so the cookie needs no signature or encryption of its own.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use token_cache::{AccountId, SignIn, TokenCache};
/// use token_cache::sign_out::TicketCookie;
///
/// let cookie = TicketCookie::host("shop")?;
/// # let cache = TokenCache::in_memory().await?;
/// # let ada = AccountId::new("https://id.example", "248289761001")?;
/// # let session = cache.sign_in(SignIn::new(ada, &cache.start_sign_in()?)).await?;
/// let header = cookie.set(&session.ticket()?); // `Set-Cookie`, on the answer of the callback
/// assert!(header.to_str()?.starts_with("__Host-shop="));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct TicketCookie {
    cookie: HostCookie,
    max_age: Option<Duration>,
}

impl TicketCookie {
    /// Creates the cookie `__Host-`*name*. It requires TLS: at a plain HTTP URL, browsers ignore it, and no user stays
    /// signed in. For development without TLS, use [`for_url`](Self::for_url). The browser keeps the cookie until the
    /// browser closes, unless [`max_age`](Self::max_age) is set.
    ///
    /// # Errors
    /// [`ConfigError`] if `name` is empty or has a character that a cookie name cannot have.
    pub fn host(name: &str) -> Result<Self, ConfigError> {
        HostCookie::secure(name).map(Self::of)
    }

    /// Creates the cookie for the app at `public_url`. For an `https` URL it is the same as [`host`](Self::host). For
    /// an `http` URL at a loopback address, for development, the cookie is named *name* without a prefix and is not
    /// `Secure`.
    ///
    /// # Errors
    /// [`ConfigError`] if `public_url` is not a URL, or is neither `https` nor `http` at a loopback address. Also if
    /// `name` is empty or has a character that a cookie name cannot have.
    pub fn for_url(public_url: &str, name: &str) -> Result<Self, ConfigError> {
        HostCookie::for_url(public_url, name).map(Self::of)
    }

    /// Sets how long the browser keeps the cookie, even if the browser is restarted. By default the cookie lasts until
    /// the browser closes. Use the same duration as [`SignIn::lifetime`](token_cache_core::SignIn::lifetime): a longer
    /// cookie does not extend the session, and with a shorter one the user must sign in again earlier.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// Returns the `Set-Cookie` header that stores `ticket` in the browser. Add it to the response that completes a
    /// sign-in. It replaces the ticket that the browser had before this sign-in, which prevents session fixation.
    pub fn set(&self, ticket: &Ticket) -> HeaderValue {
        self.cookie.set(&ticket.to_text(), self.max_age)
    }

    fn of(cookie: HostCookie) -> Self {
        Self {
            cookie,
            max_age: None,
        }
    }
}

#[async_trait]
impl TicketSource for TicketCookie {
    async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>> {
        let Some(value) = read_bytes(request, self.cookie.name())? else {
            return Ok(None);
        };
        let text = str::from_utf8(value).map_err(|_| {
            Error::new(ErrorKind::InvalidTicket, "read the ticket cookie")
                .message("its value is not ASCII; the user must sign in again")
        })?;
        text.parse().map(Some)
    }

    async fn remove(&self, _: &Parts) -> Option<HeaderValue> {
        Some(self.cookie.removal())
    }
}
