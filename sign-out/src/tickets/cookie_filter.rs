use std::task::{Context, Poll};

use http::{HeaderMap, HeaderValue, Request, header};
use percent_encoding::percent_decode;
use tower_layer::Layer;
use tower_service::Service;

use super::cookies::{OriginalCookies, pairs, trimmed};

/// A tower layer that removes cookies which other cookie libraries misread, before these libraries parse the `Cookie`
/// header. Make it the outermost layer around all code that reads cookies.
///
/// Any other subdomain of the app's domain, and any script of the app, can set a cookie that contains a byte above
/// `0x7E`. axum-extra, tower-cookies (tower-sessions) and actix-web then drop the whole header or fail, so all other
/// cookies seem absent. They also percent-decode names. So they accept `%5F%5FHost-session` as `__Host-session`,
/// although browsers do not protect that name. This layer removes these cookies and no others:
///
/// - every cookie whose name or value contains a byte that is neither printable ASCII nor a tab, and
/// - every cookie whose name begins with `__Host-`, `__Secure-` or `__Http-` only after percent-decoding.
///
/// [`TicketCookie`](crate::TicketCookie), [`StateCookies`](crate::StateCookies) and [`read_cookie`](crate::read_cookie)
/// do not need it. They read the original headers even behind this layer, so an unreadable ticket is never treated as
/// absent (G4).
///
/// ```
/// # #[cfg(feature = "axum-0_8")] fn app(app: axum::Router) -> axum::Router {
/// use token_cache::sign_out::CookieFilter;
///
/// app.layer(CookieFilter::new())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct CookieFilter;

impl CookieFilter {
    /// Creates the layer, which has no settings. Make it the app's outermost layer, such as with axum's
    /// `Router::layer`.
    pub const fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for CookieFilter {
    type Service = CookieFilterService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CookieFilterService { inner }
    }
}

/// The tower service that [`CookieFilter`] creates around an app's service. An app does not create it itself.
#[derive(Debug, Clone)]
pub struct CookieFilterService<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for CookieFilterService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(filtered) = filter_cookies(request.headers()) {
            let headers = request.headers_mut();
            headers.remove(header::COOKIE);
            for kept in filtered.kept {
                headers.append(header::COOKIE, kept);
            }
            request.extensions_mut().insert(filtered.original);
        }
        self.inner.call(request)
    }
}

/// Returns the `Cookie` headers without the cookies that other cookie jars misread, or `None` if there are no such
/// cookies.
pub(crate) fn filter_cookies(headers: &HeaderMap) -> Option<Filtered> {
    let is_kept = |pair: &&[u8]| is_readable(pair) && !is_encoded_prefix(pair);
    let sent = headers.get_all(header::COOKIE);
    if sent
        .iter()
        .all(|header| pairs(header.as_bytes()).all(|pair| is_kept(&pair)))
    {
        return None;
    }
    let kept = sent.iter().filter_map(|header| {
        let kept: Vec<&[u8]> = pairs(header.as_bytes()).filter(is_kept).collect();
        let header = HeaderValue::from_bytes(trimmed(&kept.join(&b';'))).ok()?;
        (!header.is_empty()).then_some(header)
    });
    Some(Filtered {
        kept: kept.collect(),
        original: OriginalCookies(sent.iter().cloned().collect()),
    })
}

/// The result of [`filter_cookies`].
pub(crate) struct Filtered {
    pub(crate) kept: Vec<HeaderValue>,
    pub(crate) original: OriginalCookies,
}

/// Returns `true` if every cookie jar can read the bytes as text.
fn is_readable(pair: &[u8]) -> bool {
    pair.iter().all(|byte| matches!(byte, b'\t' | 0x20..=0x7E))
}

/// Prefixes of cookies that browsers protect (RFC 6265bis section 4.1.3). Browsers compare them without case.
const PREFIXES: [&str; 3] = ["__Host-", "__Secure-", "__Http-"];

/// Returns `true` if the name has one of the prefixes only after percent-decoding, which axum-extra and actix-web do.
/// Browsers do not protect such a name.
fn is_encoded_prefix(pair: &[u8]) -> bool {
    let name = trimmed(pair.split(|byte| *byte == b'=').next().unwrap_or_default());
    let decoded = percent_decode(name).decode_utf8_lossy();
    PREFIXES.iter().any(|prefix| {
        has_prefix(decoded.trim_start().as_bytes(), prefix) && !has_prefix(name, prefix)
    })
}

fn has_prefix(name: &[u8], prefix: &str) -> bool {
    name.get(..prefix.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(prefix.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(sent: &[u8]) -> HeaderMap {
        let cookies = HeaderValue::from_bytes(sent).unwrap();
        HeaderMap::from_iter([(header::COOKIE, cookies)])
    }

    #[test]
    fn the_filter_keeps_what_every_jar_reads_alike() {
        for (sent, kept) in [
            (&b"a=1; city=Z\xfcrich; b=2"[..], Some(&b"a=1; b=2"[..])),
            (b"city=Z\xc3\xbcrich; b=2", Some(b"b=2")),
            (b"\xe2\x80\x80__Host-shop=x", None),
            (b"%5F%5FHost-shop=x; a=1", Some(b"a=1")),
            (b"%5f_hOST-shop=x; a=1", Some(b"a=1")),
            (b"__Hos%74-shop=x; a=1", Some(b"a=1")),
            (b"%20__Secure-shop=x; a=1", Some(b"a=1")),
            (b"%E2%80%80__Host-shop=x", None),
            (b"__Http%2Dshop=x", None),
        ] {
            let filtered = filter_cookies(&headers(sent)).unwrap();
            let headers: Vec<_> = filtered.kept.iter().map(HeaderValue::as_bytes).collect();
            let expected: Vec<_> = kept.into_iter().collect();
            assert_eq!(headers, expected);
            assert_eq!(filtered.original.0[0].as_bytes(), sent);
        }
        for sent in [
            &b"a=1; __Host-shop=x; __Secure-%41=y; na%20me=%ff; %=; x"[..],
            b"",
        ] {
            assert!(filter_cookies(&headers(sent)).is_none());
        }
    }
}
