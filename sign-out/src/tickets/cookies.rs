//! Reads the `Cookie` header as bytes, and builds the cookies that this crate sets.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header, request::Parts};
use token_cache_core::{Error, ErrorKind, Result};
use url::Url;

use crate::{client::is_loopback, config::ConfigError};

/// Returns the value of the cookie `name` exactly as the browser sent it, or `None` if the request has no such cookie.
/// Use it for the app's own cookies if other libraries cannot read the header, as [`CookieFilter`](crate::CookieFilter)
/// describes.
///
/// The `Cookie` headers are read as bytes (RFC 6265bis section 5.8.3): they are split at `;`, names are compared
/// exactly, and nothing is decoded. So other cookies with invalid bytes do not matter, and no other spelling matches
/// `name`. A [`CookieFilter`](crate::CookieFilter) removes unreadable cookies for other readers only: this function
/// still reads the whole header.
///
/// A cookie that cannot be read is an error and never `None`: the user would look signed out (G4).
///
/// # Errors
/// [`Corrupt`](ErrorKind::Corrupt) if the value has a byte that is not printable ASCII, or if the request has several
/// cookies of this name with different values.
///
/// ```
/// # fn main() -> token_cache::Result<()> {
/// use token_cache::sign_out::read_cookie;
///
/// let request = http::Request::get("/").header("cookie", &b"city=Z\xfcrich; theme=dark"[..]);
/// let (request, ()) = request.body(()).unwrap().into_parts();
/// assert_eq!(read_cookie(&request, "theme")?, Some("dark"));
/// assert_eq!(read_cookie(&request, "lang")?, None);
/// assert!(read_cookie(&request, "city").is_err());
/// # Ok(()) }
/// ```
pub fn read_cookie<'a>(request: &'a Parts, name: &str) -> Result<Option<&'a str>> {
    let Some(value) = read_bytes(request, name)? else {
        return Ok(None);
    };
    match str::from_utf8(value) {
        Ok(value) if value.bytes().all(|byte| matches!(byte, 0x20..=0x7E)) => Ok(Some(value)),
        _ => Err(unreadable(name, "its value has bytes that are not ASCII")),
    }
}

/// Returns the value of the cookie `name` as bytes, or `None` if the request has no such cookie.
///
/// # Errors
/// [`Corrupt`](ErrorKind::Corrupt) if the request has several cookies of this name with different values.
pub(crate) fn read_bytes<'a>(request: &'a Parts, name: &str) -> Result<Option<&'a [u8]>> {
    let mut values = cookies(request)
        .filter(|(is, _)| *is == name.as_bytes())
        .map(|(_, value)| value);
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if values.any(|other| other != first) {
        return Err(unreadable(
            name,
            "the request has several cookies of this name with different values",
        ));
    }
    Ok(Some(first))
}

fn unreadable(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, "read a cookie")
        .message(format!("the cookie `{name}` cannot be read: {why}"))
}

/// Returns the cookies of a request as pairs of name and value, in the order in which the browser sent them.
pub(crate) fn cookies(request: &Parts) -> impl Iterator<Item = (&[u8], &[u8])> {
    let original = request.extensions.get::<OriginalCookies>();
    let sent = original
        .is_none()
        .then(|| request.headers.get_all(header::COOKIE));
    original
        .into_iter()
        .flat_map(|original| &original.0)
        .chain(sent.into_iter().flatten())
        .flat_map(|header| pairs(header.as_bytes()))
        .filter_map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=')?;
            Some((trimmed(&pair[..equals]), trimmed(&pair[equals + 1..])))
        })
}

/// The `Cookie` headers as the browser sent them. They are in the extensions of a request from which [`filter_cookies`]
/// removed cookies.
#[derive(Clone)]
pub(crate) struct OriginalCookies(pub(crate) Vec<HeaderValue>);

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

fn pairs(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    header.split(|byte| *byte == b';')
}

/// Removes spaces and tabs at both ends. Other white space is kept: with `U+2000` before `__Host-`, a name would bypass
/// the prefix.
fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
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
    let decoded = percent_decoded(name);
    let decoded = String::from_utf8_lossy(&decoded);
    PREFIXES.iter().any(|prefix| {
        has_prefix(decoded.trim_start().as_bytes(), prefix) && !has_prefix(name, prefix)
    })
}

fn has_prefix(name: &[u8], prefix: &str) -> bool {
    name.get(..prefix.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(prefix.as_bytes()))
}

fn percent_decoded(name: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [byte, after @ ..] = rest {
        let escaped = match after {
            [high, low, after @ ..] if *byte == b'%' => hex(*high, *low).zip(Some(after)),
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((*byte, after));
        decoded.push(byte);
        rest = after;
    }
    decoded
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// A cookie for one host and all its paths: `HttpOnly`, `SameSite=Lax`.
///
/// With TLS its name begins with `__Host-`, so neither a sibling domain nor plain HTTP can replace it (RFC 6265bis
/// section 4.1.3.2). Plain HTTP is allowed only at a loopback address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostCookie {
    name: String,
    secure: bool,
}

impl HostCookie {
    /// Returns a cookie that requires TLS. `name` is a token (RFC 9110 section 5.6.2).
    pub(crate) fn secure(name: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            name: format!("__Host-{}", token(name)?),
            secure: true,
        })
    }

    /// Returns the cookie of the app at `public_url`.
    pub(crate) fn for_url(public_url: &str, name: &str) -> Result<Self, ConfigError> {
        let app = Url::parse(public_url).map_err(|error| {
            ConfigError::new(format!(
                "the app's URL {public_url:?} must be a URL: {error}"
            ))
        })?;
        if app.scheme() == "https" {
            return Self::secure(name);
        }
        if app.scheme() == "http" && is_loopback(&app) {
            return Ok(Self {
                name: token(name)?.to_owned(),
                secure: false,
            });
        }
        Err(ConfigError::new(format!(
            "the app's URL {:?} would expose its cookies; use https, or http at a loopback address",
            app.as_str(),
        )))
    }

    /// Returns the cookie with `-` and `suffix` appended to its name. `suffix` is a token.
    pub(crate) fn with_suffix(&self, suffix: &str) -> Self {
        Self {
            name: format!("{}-{suffix}", self.name),
            secure: self.secure,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the `Set-Cookie` header that sets the cookie. Without `max_age` it lasts until the browser closes.
    /// `value` is visible ASCII without `;`.
    pub(crate) fn set(&self, value: &str, max_age: Option<Duration>) -> HeaderValue {
        let mut cookie = Cookie::build((self.name.as_str(), value))
            .path("/")
            .secure(self.secure)
            .http_only(true)
            .same_site(SameSite::Lax)
            .build();
        if let Some(max_age) = max_age {
            let secs = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
            cookie.set_max_age(cookie::time::Duration::seconds(secs));
        }
        to_header(&cookie)
    }

    /// Returns the `Set-Cookie` header that removes the cookie.
    pub(crate) fn removal(&self) -> HeaderValue {
        self.set("", Some(Duration::ZERO))
    }
}

#[expect(
    clippy::expect_used,
    reason = "the name is a token and the value visible ASCII: all of it is visible ASCII"
)]
fn to_header(cookie: &Cookie<'_>) -> HeaderValue {
    let mut value = HeaderValue::try_from(cookie.to_string()).expect("a cookie of visible ASCII");
    value.set_sensitive(true);
    value
}

fn token(name: &str) -> Result<&str, ConfigError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_token) {
        Ok(name)
    } else {
        Err(ConfigError::new(format!(
            "{name:?} is not a cookie name; use letters, digits, `-` and `_`"
        )))
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn request(headers: &[&[u8]]) -> Parts {
        let mut request = Request::get("/");
        for header in headers {
            request = request.header("cookie", *header);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_cookie_is_found_among_whatever_bytes_the_others_have() {
        for headers in [
            &[&b"city=Z\xfcrich; __Host-shop=x"[..]][..],
            &[b"__Host-shop=x;city=\xff"],
            &[b"\xe2\x80\x80=1", b" \t__Host-shop=x\t ; a"],
            &[b"a=%ff; =; ;;=b; __Host-shop=x"],
            &[b"__Host-shop=x", b"__Host-shop=x"],
            &[b"a=__Host-shop=y; __Host-shop=x"],
        ] {
            let request = request(headers);
            assert_eq!(read_cookie(&request, "__Host-shop").unwrap(), Some("x"));
        }
    }

    #[test]
    fn no_other_spelling_passes_for_the_name() {
        for header in [
            &b"%5F%5FHost-shop=x"[..],
            b"\xe2\x80\x80__Host-shop=x",
            b"\xa0__Host-shop=x",
            b"\xc2\x85__Host-shop=x",
            b"__host-shop=x",
            b"__Host-shop2=x",
            b"__Host-shop",
            b"\"__Host-shop=x\"",
        ] {
            let request = request(&[header]);
            assert_eq!(read_cookie(&request, "__Host-shop").unwrap(), None);
        }
    }

    #[test]
    fn what_is_unreadable_is_not_absent() {
        for headers in [
            &[&b"__Host-shop=\xfc"[..]][..],
            &[b"__Host-shop=a; __Host-shop=b"],
            &[b"__Host-shop=a", b"__Host-shop="],
        ] {
            let error = read_cookie(&request(headers), "__Host-shop").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains("`__Host-shop`"), "{error}");
        }
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
            let request = request(&[sent]);
            let filtered = filter_cookies(&request.headers).unwrap();
            let headers: Vec<_> = filtered.kept.iter().map(HeaderValue::as_bytes).collect();
            let expected: Vec<_> = kept.into_iter().collect();
            assert_eq!(headers, expected);
            assert_eq!(filtered.original.0[0].as_bytes(), sent);
        }
        for sent in [
            &b"a=1; __Host-shop=x; __Secure-%41=y; na%20me=%ff; %=; x"[..],
            b"",
        ] {
            assert!(filter_cookies(&request(&[sent]).headers).is_none());
        }
    }
}
