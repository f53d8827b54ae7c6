use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderValue, request::Parts};
use token_cache_core::{Error, ErrorKind, Result, Ticket};
use url::Url;

use crate::{
    ConfigError, TicketSource,
    cookies::{HostCookie, read_bytes},
};

/// A cookie that holds the ticket, and nothing else: `HttpOnly`, `Secure`, `SameSite=Lax`, for one host (`__Host-`).
///
/// The ticket is sealed, so the cookie needs no signature and no encryption of its own.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use token_cache_core::{AccountId, SignIn, TokenCache};
/// use token_cache_sign_out::TicketCookie;
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
    /// The cookie `__Host-` and `name`, which only TLS carries. It lasts until the browser closes.
    ///
    /// # Errors
    /// [`ConfigError`] where the name is none that a cookie may have.
    pub fn host(name: &str) -> Result<Self, ConfigError> {
        HostCookie::secure(name).map(Self::of)
    }

    /// The cookie for an app whose users know it by this URL: as [`host`](Self::host) where that is `https`; without prefix and
    /// `Secure` where it is `http` at a loopback address, for development.
    ///
    /// # Errors
    /// [`ConfigError`] for plain HTTP anywhere else, for what is no URL, and for a name that no cookie may have.
    pub fn for_url(public_url: &str, name: &str) -> Result<Self, ConfigError> {
        let url = Url::parse(public_url)
            .map_err(|_| ConfigError::new(format!("{public_url:?} is no URL of an app")))?;
        HostCookie::for_url(&url, name).map(Self::of)
    }

    /// Keeps the cookie over restarts of the browser, for so long: what
    /// [`SignIn::lifetime`](token_cache_core::SignIn::lifetime) was told.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// The `Set-Cookie` for the answer that ends a sign-in. It replaces whatever ticket the browser came with (session fixation).
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
            Error::new(ErrorKind::InvalidTicket, "read the ticket's cookie")
                .message("its value is not ASCII; have the user sign in again")
        })?;
        text.parse().map(Some)
    }

    async fn remove(&self, _: &Parts) -> Option<HeaderValue> {
        Some(self.cookie.removal())
    }
}
