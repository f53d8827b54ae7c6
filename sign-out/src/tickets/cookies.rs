use http::{HeaderValue, header, request::Parts};
use token_cache_core::{Error, ErrorKind, Result};

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

/// The `Cookie` headers as the browser sent them. They are in the extensions of a request from which a
/// [`CookieFilter`](crate::CookieFilter) removed cookies.
#[derive(Clone)]
pub(crate) struct OriginalCookies(pub(crate) Vec<HeaderValue>);

pub(super) fn pairs(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    header.split(|byte| *byte == b';')
}

/// Removes spaces and tabs at both ends. Other white space is kept: with `U+2000` before `__Host-`, a name would bypass
/// the prefix.
pub(super) fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
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
}
