use async_trait::async_trait;
use http::{HeaderValue, request::Parts};
use token_cache_core::{Result, Ticket};

/// Reads and removes the tickets of requests. Implement it if the app keeps tickets in the sessions of another library.
/// For an own cookie, use [`TicketCookie`](crate::TicketCookie).
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
    /// Returns the ticket of a request, or `None` if the request has no ticket.
    ///
    /// # Errors
    /// [`InvalidTicket`](token_cache_core::ErrorKind::InvalidTicket) if the value is not a ticket. The ticket is then
    /// removed. Any other error means that the ticket cannot be read now. The response is then 503 and the ticket is
    /// kept, so the user is never treated as signed out (G4).
    async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>>;

    /// Removes the ticket. Returns the `Set-Cookie` header that removes it, or `None` if no header is needed.
    ///
    /// It is called after the session has ended. So a ticket that cannot be removed opens no session.
    async fn remove(&self, request: &Parts) -> Option<HeaderValue>;
}
