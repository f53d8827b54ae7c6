use async_trait::async_trait;
use http::{HeaderValue, request::Parts};
use token_cache_core::{Result, Ticket};

/// Where the app keeps a session's ticket: in a cookie of its own ([`TicketCookie`](crate::TicketCookie)), or in the sessions of a
/// library that it uses anyway.
///
/// ```
/// use async_trait::async_trait;
/// use http::{HeaderValue, request::Parts};
/// use token_cache_core::{Error, ErrorKind, Result, Ticket};
/// use token_cache_sign_out::TicketSource;
///
/// /// A gateway in front of the app keeps the cookie, and passes the ticket on.
/// struct FromGateway;
///
/// #[async_trait]
/// impl TicketSource for FromGateway {
///     async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>> {
///         let Some(header) = request.headers.get("x-ticket") else {
///             return Ok(None);
///         };
///         let invalid = || Error::new(ErrorKind::InvalidTicket, "read the header `x-ticket`");
///         header.to_str().map_err(|_| invalid())?.parse().map(Some)
///     }
///
///     async fn remove(&self, _: &Parts) -> Option<HeaderValue> {
///         None // the gateway does, when it sees a 401
///     }
/// }
/// ```
#[async_trait]
pub trait TicketSource: Send + Sync + 'static {
    /// The ticket that came with a request; none where the browser is not signed in.
    ///
    /// # Errors
    /// [`InvalidTicket`](token_cache_core::ErrorKind::InvalidTicket) for a value that is not a ticket: it is forgotten. Any other
    /// error means that the ticket cannot be read now: the request is answered with 503 and the ticket is kept, never as if the
    /// user were not signed in (G4).
    async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>>;

    /// Forgets the ticket; the answer is the `Set-Cookie` that does, where a header does it.
    ///
    /// It is called once the session has ended for good, so a ticket that can't be forgotten opens nothing any more.
    async fn remove(&self, request: &Parts) -> Option<HeaderValue>;
}
