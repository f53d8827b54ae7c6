use actix_web::HttpRequest;
use token_cache_core::{Result, Ticket};

/// Reads and removes tickets that need an actix-web request, such as tickets in `actix-session`.
///
/// ```
/// use actix_web::{HttpMessage, HttpRequest};
/// use token_cache_core::{Result, Ticket};
/// use token_cache_sign_out::actix::TicketSource;
///
/// /// A middleware of the app's own puts the ticket into the request's extensions.
/// struct FromExtensions;
///
/// impl TicketSource for FromExtensions {
///     fn ticket(&self, request: &HttpRequest) -> Result<Option<Ticket>> {
///         Ok(request.extensions().get::<Ticket>().cloned())
///     }
///
///     fn remove(&self, request: &HttpRequest) {
///         request.extensions_mut().remove::<Ticket>();
///     }
/// }
/// ```
pub trait TicketSource: Send + Sync + 'static {
    /// Returns the ticket of a request, or `None` if the request has no ticket.
    ///
    /// # Errors
    /// The same as [`TicketSource::ticket`](crate::TicketSource::ticket).
    fn ticket(&self, request: &HttpRequest) -> Result<Option<Ticket>>;

    /// Removes the ticket of a request. It is called after the session has ended.
    fn remove(&self, request: &HttpRequest);
}
