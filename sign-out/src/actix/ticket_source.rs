use actix_web::HttpRequest;
use token_cache_core::{Result, Ticket};

/// Reads and removes the [`Ticket`]s of actix-web requests, for the [sign-out routes](super::ActixSignOut::routes) and
/// the [session check](super::SessionCheck). Implement it if the app stores its tickets in sessions of `actix-session`,
/// or anywhere else that only an actix-web request can reach. Pass it to
/// [`ActixSignOut::ticket_source`](super::ActixSignOut::ticket_source).
///
/// With `actix-session`, the ticket is one value in the session. `examples/actix-session` in the repository is a
/// complete app:
///
/// ```
/// # mod actix_session { // as in the crate `actix-session`
/// #     pub struct Session;
/// #     impl Session {
/// #         pub fn get<T>(&self, _: &str) -> Result<Option<T>, std::fmt::Error> { Ok(None) }
/// #         pub fn remove(&self, _: &str) {}
/// #     }
/// #     pub trait SessionExt { fn get_session(&self) -> Session; }
/// #     impl SessionExt for actix_web::HttpRequest { fn get_session(&self) -> Session { Session } }
/// # }
/// use actix_session::SessionExt;
/// use actix_web::HttpRequest;
/// use token_cache::{Error, ErrorKind, Result, Ticket};
/// use token_cache::sign_out::actix::TicketSource;
///
/// struct InSession;
///
/// impl TicketSource for InSession {
///     fn ticket(&self, request: &HttpRequest) -> Result<Option<Ticket>> {
///         request.get_session().get("ticket").map_err(|error| {
///             Error::new(ErrorKind::InvalidTicket, "read the ticket").message(error.to_string())
///         })
///     }
///
///     fn remove(&self, request: &HttpRequest) {
///         // `purge` would prevent storing the ticket of a sign-in in the same request.
///         request.get_session().remove("ticket");
///     }
/// }
/// # fn main() {}
/// ```
pub trait TicketSource: Send + Sync + 'static {
    /// Returns the ticket of a request, or `None` if the request has no ticket, such as that of an anonymous user.
    ///
    /// The method must not return `None` for a ticket that it cannot read: the user would look signed out (G4).
    ///
    /// # Errors
    /// - [`InvalidTicket`](token_cache_core::ErrorKind::InvalidTicket) if there is a value and it is not a ticket. The
    ///   request is handled like one of an ended session, and [`remove`](Self::remove) is called.
    /// - Any other error if the ticket cannot be read now. The [session check](super::SessionCheck) answers 503, as
    ///   [`TicketSource::ticket`](crate::TicketSource::ticket) describes.
    fn ticket(&self, request: &HttpRequest) -> Result<Option<Ticket>>;

    /// Removes the ticket from where the app stores it, such as a session of `actix-session`. It does not end the
    /// session that the ticket names.
    ///
    /// The [session check](super::SessionCheck) calls it if the session has ended, or if the ticket is invalid or
    /// unreadable. The [sign-out routes](super::ActixSignOut::routes) call it when a user signs out, even if the
    /// request has no ticket.
    fn remove(&self, request: &HttpRequest);
}
