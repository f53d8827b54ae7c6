use async_trait::async_trait;
use http::{HeaderValue, request::Parts};
use token_cache_core::{Result, Ticket};

/// Reads and removes the [`Ticket`]s of requests, for the [sign-out routes](crate::SignOutRoutes) and the [session
/// check](crate::SessionCheck). Implement it if the app stores tickets elsewhere than in a cookie of their own, such as
/// in the sessions of another library. Otherwise use [`TicketCookie`](crate::TicketCookie). Pass it to
/// [`SignOutRoutesBuilder::ticket_source`](crate::SignOutRoutesBuilder::ticket_source).
///
/// ```
/// use async_trait::async_trait;
/// use http::{HeaderValue, request::Parts};
/// use token_cache::{Error, ErrorKind, Result, Ticket};
/// use token_cache::sign_out::TicketSource;
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
    /// The method must not return `None` for a ticket that it cannot read: the user would look signed out (G4).
    ///
    /// # Errors
    /// - [`InvalidTicket`](token_cache_core::ErrorKind::InvalidTicket) if the value is not a ticket. The request is
    ///   handled like one of an ended session, and the ticket is removed.
    /// - [`KeyMissing`](token_cache_core::ErrorKind::KeyMissing) or [`Corrupt`](token_cache_core::ErrorKind::Corrupt)
    ///   if the ticket cannot be read, and repeating the request does not help. The [session
    ///   check](crate::SessionCheck) answers 503, except that it serves the [sign-in
    ///   page](crate::SessionCheck::redirect_to). A request for the sign-in page removes the ticket, and so does the
    ///   app's own sign-out ([`logout`](crate::SignOutRoutes::logout)).
    /// - Any other error if the ticket cannot be read now. The [session check](crate::SessionCheck) answers 503 and
    ///   does not remove the ticket.
    async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>>;

    /// Removes the ticket of a request, and returns the `Set-Cookie` header that removes it from the browser. The
    /// caller adds the header to the response. An implementation returns `None` if the browser has no cookie to remove,
    /// for example if it removed the ticket from a session of another library.
    ///
    /// The [session check](crate::SessionCheck) calls it if the session has ended, or if the ticket is invalid or
    /// unreadable. The [sign-out routes](crate::SignOutRoutes) call it when a user signs out, even if the request has
    /// no ticket. A ticket of an ended session opens no session, even if the ticket is not removed.
    async fn remove(&self, request: &Parts) -> Option<HeaderValue>;
}
