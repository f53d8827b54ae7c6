//! The ticket in a signed cookie. (The ticket is sealed and needs no signature; an app that signs all its cookies signs this one.)

use async_trait::async_trait;
use axum::http::{HeaderValue, request::Parts};
use axum_extra::extract::cookie::{Cookie, Key, SameSite, SignedCookieJar};
use token_cache::{Result, Ticket, sign_out::Tickets};

const TICKET: &str = "ticket";

pub(crate) struct InSignedCookie(pub(crate) Key);

#[async_trait]
impl Tickets for InSignedCookie {
    async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>> {
        let jar = SignedCookieJar::from_headers(&request.headers, self.0.clone());
        // One with a wrong signature is not in the jar: the request is anybody's.
        jar.get(TICKET)
            .map(|cookie| cookie.value().parse())
            .transpose()
    }

    async fn forget(&self, _: &Parts) -> Option<HeaderValue> {
        let removal = Cookie::build((TICKET, "")).path("/").removal().build();
        HeaderValue::try_from(removal.to_string()).ok()
    }
}

/// The cookie of a sign-in. In production it is named `__Host-ticket`, and is `Secure`: here the app is at a loopback address,
/// without TLS.
pub(crate) fn cookie(ticket: &Ticket) -> Cookie<'static> {
    lax(TICKET, ticket.to_text())
}

/// A cookie that scripts can't read and that other sites' forms do not send.
pub(crate) fn lax(name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .build()
}
