use actix_web::HttpRequest;
use token_cache_core::{Result, Ticket};

/// Where an app keeps its tickets, if only a request of actix-web leads there.
///
/// ```
/// use actix_web::{HttpMessage, HttpRequest};
/// use token_cache_core::{Result, Ticket};
/// use token_cache_sign_out::actix::RequestTickets;
///
/// /// A middleware of the app's own puts the ticket into the request's extensions.
/// struct FromExtensions;
///
/// impl RequestTickets for FromExtensions {
///     fn ticket(&self, request: &HttpRequest) -> Result<Option<Ticket>> {
///         Ok(request.extensions().get::<Ticket>().cloned())
///     }
///
///     fn forget(&self, request: &HttpRequest) {
///         request.extensions_mut().remove::<Ticket>();
///     }
/// }
/// ```
pub trait RequestTickets: Send + Sync + 'static {
    /// The ticket that came with a request; none where the browser is not signed in.
    ///
    /// # Errors
    /// As [`Tickets::ticket`](crate::Tickets::ticket).
    fn ticket(&self, request: &HttpRequest) -> Result<Option<Ticket>>;

    /// Forgets it: its session has ended.
    fn forget(&self, request: &HttpRequest);
}
