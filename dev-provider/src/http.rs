use std::collections::{HashMap, HashSet, hash_map::Entry};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;
use url::{Url, form_urlencoded};

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => with_type(status, "application/json", bytes),
        Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// On to another page, by GET.
pub(crate) fn see_other(url: &Url) -> Response {
    let Ok(location) = HeaderValue::from_str(url.as_str()) else {
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = empty(StatusCode::SEE_OTHER);
    response.headers_mut().insert(header::LOCATION, location);
    response
}

pub(crate) fn with_type(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Longer than any honest request, ID token hints included.
const LONGEST: usize = 12 * 1024;
const MOST: usize = 64;

/// The parameters of a request. One without a value counts as left out (RFC 6749 section 3.1).
pub(crate) struct Parameters {
    values: HashMap<String, String>,
    repeated: HashSet<String>,
}

/// A request with more than anyone has to say.
#[derive(Debug)]
pub(crate) struct TooLarge;

impl Parameters {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, TooLarge> {
        if text.len() > LONGEST {
            return Err(TooLarge);
        }
        let mut parameters = Self {
            values: HashMap::new(),
            repeated: HashSet::new(),
        };
        for (number, (name, value)) in form_urlencoded::parse(text).enumerate() {
            if number == MOST {
                return Err(TooLarge);
            }
            let name = name.into_owned();
            if value.is_empty() {
                continue;
            }
            match parameters.values.entry(name) {
                Entry::Occupied(first) => {
                    parameters.repeated.insert(first.key().clone());
                }
                Entry::Vacant(free) => {
                    free.insert(value.into_owned());
                }
            }
        }
        Ok(parameters)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Returns `true` if any of these occurs more than once, which no specification allows.
    pub(crate) fn repeats(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.repeated.contains(*name))
    }

    pub(crate) fn repeats_any(&self) -> bool {
        !self.repeated.is_empty()
    }
}

/// Returns `true` if a form was sent by a page of the provider, or by a client that is no browser.
///
/// A browser names the origin of a form it sends, and, at a loopback address, how it relates to the target. The apps' origins
/// differ from the provider's by their port, so a page of theirs can't sign anybody out or in.
pub(crate) fn is_same_origin(headers: &HeaderMap, issuer: &str) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    match (text("sec-fetch-site"), text(header::ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin == issuer,
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_absent_and_twice_is_seen() {
        let form = Parameters::parse(b"a=1&b=&a=2&c=%C3%A9+x").unwrap();
        assert_eq!(form.value("a"), Some("1"));
        assert_eq!(form.value("b"), None);
        assert_eq!(form.value("c"), Some("é x"));
        assert!(form.repeats(&["a"]) && !form.repeats(&["b", "c"]) && form.repeats_any());
        assert!(Parameters::parse("a=1&".repeat(100).as_bytes()).is_err());
        assert!(Parameters::parse(&vec![b'a'; 20_000]).is_err());
    }

    use axum::http::HeaderValue;

    #[test]
    fn a_form_on_another_origin_is_not_ours() {
        let issuer = "http://127.0.0.1:4000";
        let accepts = |site: Option<&'static str>, origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            is_same_origin(&headers, issuer)
        };
        assert!(accepts(None, None));
        assert!(accepts(Some("same-origin"), Some(issuer)));
        assert!(accepts(Some("none"), None));
        assert!(accepts(None, Some(issuer)));
        assert!(!accepts(Some("same-site"), Some("http://127.0.0.1:4001")));
        assert!(!accepts(Some("cross-site"), None));
        assert!(!accepts(None, Some("http://127.0.0.1:4001")));
        assert!(!accepts(None, Some("null")));
    }
}
