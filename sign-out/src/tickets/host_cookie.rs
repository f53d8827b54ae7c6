use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::HeaderValue;
use token_cache_http_client::is_loopback;
use url::Url;

use crate::config::ConfigError;

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
