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
    /// Returns the ticket of a request, or `None` if the request has no ticket, such as that of an anonymous user.
    ///
    /// # Errors
    /// - [`InvalidTicket`](token_cache_core::ErrorKind::InvalidTicket) if the value is not a ticket. The request counts
    ///   as one of an ended session, and the ticket is removed.
    /// - Any other error if the ticket cannot be read now. The session check then answers 503 and keeps the ticket, so
    ///   an error is never taken for a sign-out (G4).
    /// - After [`KeyMissing`](token_cache_core::ErrorKind::KeyMissing) or
    ///   [`Corrupt`](token_cache_core::ErrorKind::Corrupt), repeating the request does not help. The [sign-in
    ///   page](crate::SessionCheck::redirect_to) is then served, and the ticket is removed there and by the app's own
    ///   sign-out.
    async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>>;

    /// Removes the ticket of a request. Returns the `Set-Cookie` header that removes it, or `None` if no header is
    /// needed.
    ///
    /// The routes and the session check call it for a request whose session has ended, or whose ticket is invalid or
    /// unreadable. A ticket of an ended session opens no session, even if it is not removed.
    async fn remove(&self, request: &Parts) -> Option<HeaderValue>;
}
