use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};
use url::Url;

use crate::{ConfigError, client::is_loopback};

/// A cookie for one host and all its paths, out of reach of scripts, that comes along when a link leads here from elsewhere, and
/// with nothing else from elsewhere.
///
/// With TLS its name begins with `__Host-`, so that neither a sibling domain nor plain HTTP can set another in its place
/// (RFC 6265bis section 4.1.3.2). Plain HTTP is for a loopback address alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostCookie {
    name: String,
    secure: bool,
}

impl HostCookie {
    /// One that only TLS carries. `name` is a token (RFC 9110 section 5.6.2).
    pub(crate) fn secure(name: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            name: format!("__Host-{}", token(name)?),
            secure: true,
        })
    }

    /// One for the app at this URL.
    pub(crate) fn at(app: &Url, name: &str) -> Result<Self, ConfigError> {
        if app.scheme() == "https" {
            return Self::secure(name);
        }
        if app.scheme() == "http" && is_loopback(app) {
            return Ok(Self {
                name: token(name)?.to_owned(),
                secure: false,
            });
        }
        Err(ConfigError::new(
            "the app's URL is neither https nor http at a loopback address: cookies would travel in clear",
        ))
    }

    /// The value that came with a request.
    pub(crate) fn read<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Cookie::split_parse)
            .filter_map(std::result::Result::ok)
            .find(|cookie| cookie.name() == self.name)
            .and_then(|cookie| cookie.value_raw())
    }

    /// The header that sets it: for so long, or until the browser closes. The value is base64url.
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
        in_header(&cookie)
    }

    /// The header that removes it.
    pub(crate) fn removal(&self) -> HeaderValue {
        self.set("", Some(Duration::ZERO))
    }
}

#[expect(
    clippy::expect_used,
    reason = "the name is a token and the value base64url: all of it is visible ASCII"
)]
fn in_header(cookie: &Cookie<'_>) -> HeaderValue {
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
            "the name of a cookie is letters, digits, `-` and `_`, not {name:?}"
        )))
    }
}
