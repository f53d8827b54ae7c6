//! Whether a request to sign out comes from the app's own pages, or from the user's own hand: nobody else may sign a user out.
//!
//! A browser says where a request comes from in `Sec-Fetch-Site` (Fetch Metadata), which no page can forge or leave out. Browsers
//! from before it, and all of them over plain HTTP, send `Origin` with a POST, and `Referer` with most else. No token hidden in a form
//! is needed, so the app's templates need nothing from here.

use http::{HeaderMap, HeaderName, Method, header, request::Parts, uri::Authority};
use url::Url;

use crate::client_registration::is_loopback;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const PREFETCHES: [HeaderName; 3] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-moz"),
];

/// Who is behind a request to sign out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The app's own page, or the user: sign out.
    SameOrigin,
    /// A GET that may be anybody's link, image or prefetch: ask the user.
    Unknown,
    /// Another site's POST.
    CrossOrigin,
}

/// Who asks, by what the browser says. `app_urls` are URLs of the app as its users know it, for where a proxy changes `Host`.
pub(crate) fn origin(request: &Parts, app_urls: &[Url]) -> Origin {
    let is_same_origin = match (single(&request.headers, &SEC_FETCH_SITE), &request.method) {
        (HeaderValue::Value(site), _) => site == "same-origin" || site == "none",
        (HeaderValue::Invalid, _) => false,
        (HeaderValue::Missing, &Method::POST) => match single(&request.headers, &header::ORIGIN) {
            HeaderValue::Missing => true,
            HeaderValue::Value(origin) => is_app_url(origin, request, app_urls),
            HeaderValue::Invalid => false,
        },
        (HeaderValue::Missing, _) => match single(&request.headers, &header::REFERER) {
            HeaderValue::Value(referer) => is_app_url(referer, request, app_urls),
            HeaderValue::Missing | HeaderValue::Invalid => false,
        },
    };
    match request.method {
        Method::POST if is_same_origin => Origin::SameOrigin,
        Method::POST => Origin::CrossOrigin,
        // An address bar that completes what is typed may fetch ahead; an image in a user's comment is of the same origin too.
        Method::GET if is_same_origin && !is_prefetch(&request.headers) && is_document(request) => {
            Origin::SameOrigin
        }
        _ => Origin::Unknown,
    }
}

/// True where the answer is to be a page of its own, as far as the browser says.
fn is_document(request: &Parts) -> bool {
    match single(&request.headers, &SEC_FETCH_DEST) {
        HeaderValue::Missing => true,
        HeaderValue::Value(destination) => destination == "document",
        HeaderValue::Invalid => false,
    }
}

/// True where the browser says that the answer is to fill a frame.
pub(crate) fn is_frame(request: &Parts) -> bool {
    match single(&request.headers, &SEC_FETCH_DEST) {
        HeaderValue::Value(destination) => destination == "iframe" || destination == "frame",
        HeaderValue::Missing | HeaderValue::Invalid => false,
    }
}

pub(crate) fn is_prefetch(headers: &HeaderMap) -> bool {
    PREFETCHES.iter().any(|name| headers.contains_key(name))
}

/// True if `url` has the origin of this app: as its users know it, or at the authority that the request was sent to.
fn is_app_url(url: &str, request: &Parts, app_urls: &[Url]) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    if !matches!(url.scheme(), "http" | "https") {
        return false;
    }
    app_urls
        .iter()
        .any(|app_urls| app_urls.origin() == url.origin())
        || is_at_authority(&url, request) && has_app_scheme(&url, app_urls)
}

fn is_at_authority(url: &Url, request: &Parts) -> bool {
    let authority = match single(&request.headers, &header::HOST) {
        HeaderValue::Value(host) => host.parse::<Authority>().ok(),
        HeaderValue::Missing => request.uri.authority().cloned(),
        HeaderValue::Invalid => None,
    };
    authority.is_some_and(|authority| {
        let port = authority.port_u16().or_else(|| default_port(url.scheme()));
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
fn has_app_scheme(url: &Url, app_urls: &[Url]) -> bool {
    let is_known = |app_urls: &Url| app_urls.host() == url.host() && app_urls.port() == url.port();
    // One of the same scheme would be of the same origin.
    !app_urls.iter().any(is_known) && (url.scheme() == "https" || is_loopback(url))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

/// What a header says that a browser sends once.
enum HeaderValue<'a> {
    Missing,
    Value(&'a str),
    Invalid,
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> HeaderValue<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => HeaderValue::Missing,
        (Some(value), None) => value
            .to_str()
            .map_or(HeaderValue::Invalid, HeaderValue::Value),
        (Some(_), Some(_)) => HeaderValue::Invalid,
    }
}
