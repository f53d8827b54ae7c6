//! Protects the sign-out against cross-site requests: tells whether a request comes from the app's own pages, or from
//! the user directly.
//!
//! Browsers state the origin of a request in `Sec-Fetch-Site` (Fetch Metadata), which no page can forge or omit. Older
//! browsers, and all browsers over plain HTTP, send `Origin` with a POST, and `Referer` with most other requests. So
//! forms need no CSRF token.

use http::{HeaderMap, HeaderName, Method, header, request::Parts, uri::Authority};
use token_cache_http_client::is_loopback;
use url::Url;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const PREFETCHES: [HeaderName; 3] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-moz"),
];

/// The origin of a request to sign out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestSource {
    /// The app's own page, or the user directly. The user is signed out.
    SameOrigin,
    /// A GET request that may come from a link, an image or a prefetch of any site. The user is asked to confirm.
    Unknown,
    /// Another site's POST. It is rejected.
    CrossOrigin,
}

/// Returns the origin of a request, as the browser states it. `app_urls` are the app's public URLs; they matter behind
/// a proxy that changes `Host`.
pub(crate) fn origin(request: &Parts, app_urls: &[Url]) -> RequestSource {
    let is_same_origin = match (single(&request.headers, &SEC_FETCH_SITE), &request.method) {
        (SingleHeader::Value(site), _) => site == "same-origin" || site == "none",
        (SingleHeader::Invalid, _) => false,
        (SingleHeader::Missing, &Method::POST) => match single(&request.headers, &header::ORIGIN) {
            SingleHeader::Missing => true,
            SingleHeader::Value(origin) => is_app_url(origin, request, app_urls),
            SingleHeader::Invalid => false,
        },
        (SingleHeader::Missing, _) => match single(&request.headers, &header::REFERER) {
            SingleHeader::Value(referer) => is_app_url(referer, request, app_urls),
            SingleHeader::Missing | SingleHeader::Invalid => false,
        },
    };
    match request.method {
        Method::POST if is_same_origin => RequestSource::SameOrigin,
        Method::POST => RequestSource::CrossOrigin,
        // An address bar may prefetch a completed URL, and an image in a user's comment has the same origin too.
        Method::GET if is_same_origin && !is_prefetch(&request.headers) && is_document(request) => {
            RequestSource::SameOrigin
        }
        _ => RequestSource::Unknown,
    }
}

/// Returns `true` unless the browser says that the response is not for a top-level page.
fn is_document(request: &Parts) -> bool {
    match single(&request.headers, &SEC_FETCH_DEST) {
        SingleHeader::Missing => true,
        SingleHeader::Value(destination) => destination == "document",
        SingleHeader::Invalid => false,
    }
}

/// Returns `true` if the browser says that the response is for a frame.
pub(crate) fn is_frame(request: &Parts) -> bool {
    match single(&request.headers, &SEC_FETCH_DEST) {
        SingleHeader::Value(destination) => destination == "iframe" || destination == "frame",
        SingleHeader::Missing | SingleHeader::Invalid => false,
    }
}

pub(crate) fn is_prefetch(headers: &HeaderMap) -> bool {
    PREFETCHES.iter().any(|name| headers.contains_key(name))
}

/// Returns `true` if `url` has the origin of this app: one of `app_urls`, or the authority that the request was sent
/// to.
fn is_app_url(url: &str, request: &Parts, app_urls: &[Url]) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    if !matches!(url.scheme(), "http" | "https") {
        return false;
    }
    app_urls
        .iter()
        .any(|app_url| app_url.origin() == url.origin())
        || is_at_authority(&url, request) && has_app_scheme(&url, app_urls)
}

fn is_at_authority(url: &Url, request: &Parts) -> bool {
    let authority = match single(&request.headers, &header::HOST) {
        SingleHeader::Value(host) => host.parse::<Authority>().ok(),
        SingleHeader::Missing => request.uri.authority().cloned(),
        SingleHeader::Invalid => None,
    };
    authority.is_some_and(|authority| {
        let port = authority.port_u16().or_else(|| default_port(url.scheme()));
        url.host_str()
            .is_some_and(|host| host.eq_ignore_ascii_case(authority.host()))
            && url.port_or_known_default() == port
    })
}

/// Returns `true` if an app origin at the same host and port can have the scheme of `url`. An attacker on the network
/// can forge pages of plain HTTP, so they are not accepted for an app that is served over TLS.
///
/// A server behind a proxy does not know the scheme of its own URL. The scheme comes from `app_urls`. Otherwise it is
/// `https`, or plain HTTP at a loopback address.
fn has_app_scheme(url: &Url, app_urls: &[Url]) -> bool {
    let is_known = |app_url: &Url| app_url.host() == url.host() && app_url.port() == url.port();
    // A known URL with the same scheme would have matched as the same origin.
    !app_urls.iter().any(is_known) && (url.scheme() == "https" || is_loopback(url))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

/// The value of a header that browsers send at most once.
enum SingleHeader<'a> {
    Missing,
    Value(&'a str),
    Invalid,
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> SingleHeader<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => SingleHeader::Missing,
        (Some(value), None) => value
            .to_str()
            .map_or(SingleHeader::Invalid, SingleHeader::Value),
        (Some(_), Some(_)) => SingleHeader::Invalid,
    }
}
