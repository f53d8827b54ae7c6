use actix_web::HttpRequest;
use token_cache_core::{Result, Ticket};

/// Where an app keeps its tickets, if only a request of actix-web leads there.
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
    /// The ticket that came with a request; none where the browser is not signed in.
    ///
    /// # Errors
    /// As [`TicketSource::ticket`](crate::TicketSource::ticket).
    fn ticket(&self, request: &HttpRequest) -> Result<Option<Ticket>>;

    /// Forgets it: its session has ended.
    fn remove(&self, request: &HttpRequest);
}
