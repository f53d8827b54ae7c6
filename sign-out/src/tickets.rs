use async_trait::async_trait;
use http::{HeaderValue, request::Parts};
use token_cache_core::{Result, Ticket};

/// Where the app keeps a session's ticket: in a cookie of its own ([`TicketCookie`](crate::TicketCookie)), or in the sessions of a
/// library that it uses anyway.
///
/// ```
/// use async_trait::async_trait;
/// use http::{HeaderValue, request::Parts};
/// use token_cache_core::{Result, Ticket};
/// use token_cache_sign_out::Tickets;
///
/// /// A gateway in front of the app keeps the cookie, and passes the ticket on.
/// struct FromGateway;
///
/// #[async_trait]
/// impl Tickets for FromGateway {
///     async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>> {
///         let header = request.headers.get("x-ticket").and_then(|value| value.to_str().ok());
///         header.map(str::parse).transpose()
///     }
///
///     async fn forget(&self, _: &Parts) -> Option<HeaderValue> {
///         None // the gateway does, when it sees a 401
///     }
/// }
/// ```
#[async_trait]
pub trait Tickets: Send + Sync + 'static {
    /// The ticket that came with a request; none where the browser is not signed in.
    ///
    /// # Errors
    /// [`Corrupt`](token_cache_core::ErrorKind::Corrupt) for what can't be a ticket: it is forgotten. Any other error says that
    /// the place where tickets are kept can't be read: the request is answered with 503, never as if nobody were signed in (G4).
    async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>>;

    /// Forgets the ticket; the answer is the `Set-Cookie` that does, where a header does it.
    ///
    /// It is called once the session has ended for good, so a ticket that can't be forgotten opens nothing any more.
    async fn forget(&self, request: &Parts) -> Option<HeaderValue>;
}
