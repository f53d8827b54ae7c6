//! The cookies of an app, and the sources of its tickets.

mod cookie_filter;
mod cookies;
mod extension;
mod host_cookie;
mod source;
mod state_cookies;
mod ticket_cookie;

pub(crate) use self::state_cookies::random_state;
#[cfg(feature = "actix-web-4")]
pub(crate) use self::{cookie_filter::filter_cookies, cookies::OriginalCookies};
pub use self::{
    cookie_filter::{CookieFilter, CookieFilterService},
    cookies::read_cookie,
    extension::{ExtensionTicketSource, TicketExtension},
    source::TicketSource,
    state_cookies::StateCookies,
    ticket_cookie::TicketCookie,
};
