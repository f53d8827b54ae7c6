//! The pages that the app's own sign-out shows to the user.

use bytes::Bytes;
use http::{Response, StatusCode};
use token_cache_core::Error;

use crate::{
    http::{Page, retry_soon},
    paths::LOGOUT,
};

pub(super) fn confirmation_page() -> Response<Bytes> {
    let text = "This signs you out here, and in every app that shares this sign-in.";
    let mut page = Page::new(StatusCode::OK, "Sign out?", text);
    page.button = Some("Sign out");
    page.to_response()
}

pub(super) fn cross_origin_page() -> Response<Bytes> {
    let text = "Another site asked to sign you out. You are still signed in.";
    Page::new(StatusCode::FORBIDDEN, "Not signed out", text).to_response()
}

pub(super) fn failure_page(error: &Error) -> Response<Bytes> {
    let text = if error.may_have_applied() {
        "You may still be signed in here: what became of your sign-out is not known. Please try again."
    } else {
        "You are still signed in here: your sign-out could not be carried out. Please try again."
    };
    retry_page("Not signed out", text, error.is_retryable())
}

pub(super) fn pending_page() -> Response<Bytes> {
    let text = "Your sign-out is still being carried out. Please try again in a moment.";
    retry_page("Not signed out yet", text, true)
}

/// Returns a page with a button that repeats the request, because the sessions may not have ended.
fn retry_page(title: &str, text: &str, soon: bool) -> Response<Bytes> {
    let mut page = Page::new(StatusCode::SERVICE_UNAVAILABLE, title, text);
    page.button = Some("Sign out");
    let mut response = page.to_response();
    if soon {
        retry_soon(&mut response);
    }
    response
}

pub(super) fn local_only_page(after: &str) -> Response<Bytes> {
    let text = "You are signed out here. The identity provider could not be reached, so you may still be signed in there.";
    let mut page = Page::new(StatusCode::OK, "Signed out here", text);
    page.link = Some((after, "Continue"));
    page.to_response()
}

pub(super) fn removed_ticket_page(at_provider: Option<&str>) -> Response<Bytes> {
    let text = "This browser has forgotten its sign-in. This server could not read it, so it could not end the session. The session ends \
                when it expires. If the identity provider notifies this app, it also ends when you sign out there.";
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut page = Page::new(status, "Forgotten, but not signed out", text);
    page.link = at_provider.map(|url| (url, "Sign out at the identity provider"));
    page.to_response()
}

pub(super) fn signed_out_page(after: &str) -> Response<Bytes> {
    let text = "You are not signed in to this app in this browser. (This address belongs to no sign-out that this browser waits for.)";
    let mut page = Page::new(StatusCode::OK, "Signed out", text);
    page.link = Some((after, "Continue"));
    page.to_response()
}

pub(super) fn still_signed_in_page(after: &str) -> Response<Bytes> {
    let text = "You are signed in to this app in this browser. This address belongs to no sign-out of this session, and nothing was \
                changed.";
    let mut page = Page::new(StatusCode::OK, "Still signed in", text);
    page.button = Some("Sign out");
    // A relative URL also works in nested routes.
    page.action = Some(LOGOUT.trim_start_matches('/'));
    page.link = Some((after, "Continue"));
    page.to_response()
}

pub(super) fn unknown_page(error: &Error) -> Response<Bytes> {
    let text = "This server cannot tell now whether you are signed in. Please try again.";
    let mut response = Page::new(StatusCode::SERVICE_UNAVAILABLE, "Not known", text).to_response();
    if error.is_retryable() {
        retry_soon(&mut response);
    }
    response
}
