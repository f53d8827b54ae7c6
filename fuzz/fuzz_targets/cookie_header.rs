//! The `Cookie` header of a request: the app's own cookie is found, with any bytes in other cookies.
#![no_main]

use http::{HeaderValue, Request, header};
use libfuzzer_sys::fuzz_target;
use token_cache_sign_out::read_cookie;

const NAME: &str = "__Host-ticket";

fuzz_target!(|others: (&[u8], &[u8])| {
    let (before, after) = others;
    let header = [before, b"; __Host-ticket=own; ", after].concat();
    // A header cannot have these bytes.
    let Ok(header) = HeaderValue::from_bytes(&header) else {
        return;
    };
    let request = Request::get("/").header(header::COOKIE, header).body(());
    let Ok(request) = request else { return };
    let (request, ()) = request.into_parts();
    // A second cookie of the same name with another value makes it unreadable, and never absent.
    assert_ne!(read_cookie(&request, NAME).ok(), Some(None));
});
