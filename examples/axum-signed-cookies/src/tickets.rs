//! The ticket in a signed cookie. The ticket itself is encrypted and needs no signature, but this app signs all its
//! cookies.

use async_trait::async_trait;
use axum::http::{HeaderValue, request::Parts};
use axum_extra::extract::cookie::{Cookie, Key, SameSite, SignedCookieJar};
use token_cache::{
    Error, ErrorKind, Result, Ticket,
    sign_out::{TicketSource, read_cookie},
};

const TICKET: &str = "ticket";

pub(crate) struct InSignedCookie(pub(crate) Key);

#[async_trait]
impl TicketSource for InSignedCookie {
    async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>> {
        if read_cookie(request, TICKET)?.is_none() {
            return Ok(None);
        }
        // The jar has no cookie with a wrong signature. Such a cookie is not absent: the signing key may have been
        // replaced.
        let jar = SignedCookieJar::from_headers(&request.headers, self.0.clone());
        let Some(cookie) = jar.get(TICKET) else {
            return Err(
                Error::new(ErrorKind::KeyMissing, "read the ticket").message(
                    "the cookie was signed with another key than this server's; give every server the same key",
                ),
            );
        };
        cookie.value().parse().map(Some)
    }

    async fn remove(&self, _: &Parts) -> Option<HeaderValue> {
        let removal = Cookie::build((TICKET, "")).path("/").removal().build();
        HeaderValue::try_from(removal.to_string()).ok()
    }
}

/// Returns the cookie of a sign-in. In production it is named `__Host-ticket` and is `Secure`. This app is at a
/// loopback address without TLS.
pub(crate) fn cookie(ticket: &Ticket) -> Cookie<'static> {
    lax(TICKET, ticket.to_text())
}

/// Returns a cookie that scripts cannot read and that other sites' forms do not send.
pub(crate) fn lax(name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .build()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use axum::http::Request;

    use super::*;

    #[tokio::test]
    async fn a_cookie_that_cannot_be_read_is_not_an_absent_one() {
        let tickets = InSignedCookie(Key::generate());
        let ticket = async |header: &'static [u8]| {
            let request = Request::builder()
                .header("cookie", header)
                .body(())
                .unwrap();
            tickets.ticket(&request.into_parts().0).await
        };
        assert!(ticket(b"city=Z\xfcrich; a=b").await.unwrap().is_none());
        for (header, kind) in [
            (&b"ticket=forged"[..], ErrorKind::KeyMissing),
            (b"ticket=", ErrorKind::KeyMissing),
            (b"ticket=\xfc", ErrorKind::Corrupt),
            (b"ticket=a; ticket=b", ErrorKind::Corrupt),
        ] {
            assert_eq!(ticket(header).await.err().unwrap().kind(), kind);
        }
    }
}
