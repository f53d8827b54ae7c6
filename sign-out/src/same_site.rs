//! Whether a request to sign out comes from the app's own pages, or from the user's own hand: nobody else may sign a user out.
//!
//! A browser says where a request comes from in `Sec-Fetch-Site` (Fetch Metadata), which no page can forge or leave out. Browsers
//! from before it, and all of them over plain HTTP, send `Origin` with a POST, and `Referer` with most else. No token hidden in a form
//! is needed, so the app's templates need nothing from here.

use http::{HeaderMap, HeaderName, Method, header, request::Parts, uri::Authority};
use url::Url;

use crate::client::is_loopback;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const PREFETCHES: [HeaderName; 3] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-moz"),
];

/// Who is behind a request to sign out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The app's own page, or the user: sign out.
    ByOurOwn,
    /// A GET that may be anybody's link, image or prefetch: ask the user.
    Perhaps,
    /// Another site's POST.
    ByOthers,
}

/// Who asks, by what the browser says. `own` are URLs of the app as its users know it, for where a proxy changes `Host`.
pub(crate) fn who_asks(request: &Parts, own: &[Url]) -> Asked {
    let is_ours = match (single(&request.headers, &SEC_FETCH_SITE), &request.method) {
        (One::Value(site), _) => site == "same-origin" || site == "none",
        (One::Unclear, _) => false,
        (One::Nothing, &Method::POST) => match single(&request.headers, &header::ORIGIN) {
            One::Nothing => true,
            One::Value(origin) => is_own(origin, request, own),
            One::Unclear => false,
        },
        (One::Nothing, _) => match single(&request.headers, &header::REFERER) {
            One::Value(referer) => is_own(referer, request, own),
            One::Nothing | One::Unclear => false,
        },
    };
    match request.method {
        Method::POST if is_ours => Asked::ByOurOwn,
        Method::POST => Asked::ByOthers,
        // An address bar that completes what is typed may fetch ahead; an image in a user's comment is of the same origin too.
        Method::GET if is_ours && !is_prefetch(&request.headers) && is_document(request) => {
            Asked::ByOurOwn
        }
        _ => Asked::Perhaps,
    }
}

/// True where the answer is to be a page of its own, as far as the browser says.
fn is_document(request: &Parts) -> bool {
    match single(&request.headers, &SEC_FETCH_DEST) {
        One::Nothing => true,
        One::Value(destination) => destination == "document",
        One::Unclear => false,
    }
}

/// True where the browser says that the answer is to fill a frame.
pub(crate) fn is_frame(request: &Parts) -> bool {
    match single(&request.headers, &SEC_FETCH_DEST) {
        One::Value(destination) => destination == "iframe" || destination == "frame",
        One::Nothing | One::Unclear => false,
    }
}

pub(crate) fn is_prefetch(headers: &HeaderMap) -> bool {
    PREFETCHES.iter().any(|name| headers.contains_key(name))
}

/// True if `url` has the origin of this app: as its users know it, or at the authority that the request was sent to.
fn is_own(url: &str, request: &Parts, own: &[Url]) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    if !matches!(url.scheme(), "http" | "https") {
        return false;
    }
    own.iter().any(|own| own.origin() == url.origin())
        || is_at_authority(&url, request) && has_our_scheme(&url, own)
}

fn is_at_authority(url: &Url, request: &Parts) -> bool {
    let authority = match single(&request.headers, &header::HOST) {
        One::Value(host) => host.parse::<Authority>().ok(),
        One::Nothing => request.uri.authority().cloned(),
        One::Unclear => None,
    };
    authority.is_some_and(|authority| {
        let port = authority.port_u16().or_else(|| known_port(url.scheme()));
        url.host_str()
            .is_some_and(|host| host.eq_ignore_ascii_case(authority.host()))
            && url.port_or_known_default() == port
    })
}

/// True if an origin at the right host and port can have this scheme: a page of plain HTTP, which anybody on the network can forge, is
/// not a page of an app that is served over TLS.
///
/// A server behind a proxy does not know the scheme of its own URL. The app's URLs tell it; otherwise it is `https`, and plain HTTP is
/// for a loopback address alone.
fn has_our_scheme(url: &Url, own: &[Url]) -> bool {
    let is_known = |own: &Url| own.host() == url.host() && own.port() == url.port();
    // One of the same scheme would be of the same origin.
    !own.iter().any(is_known) && (url.scheme() == "https" || is_loopback(url))
}

fn known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

/// What a header says that a browser sends once.
enum One<'a> {
    Nothing,
    Value(&'a str),
    Unclear,
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> One<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => One::Nothing,
        (Some(value), None) => value.to_str().map_or(One::Unclear, One::Value),
        (Some(_), Some(_)) => One::Unclear,
    }
}
