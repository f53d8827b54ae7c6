use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderValue, request::Parts};
use token_cache_core::{Error, ErrorKind, Result};

use super::{
    cookies::{cookies, read_cookie},
    host_cookie::HostCookie,
};
use crate::config::ConfigError;

/// How many states a browser keeps.
const MAX_STATES: usize = 8;

/// How many cookies one response removes at most.
const MAX_REMOVED: usize = 32;

/// The maximum length of a value. Browsers limit name and value to 4,096 bytes (RFC 6265bis section 5.6); the rest is
/// for the name and the time.
const MAX_VALUE_LEN: usize = 3_800;

/// Short-lived cookies for a redirect of the browser to the provider and back. Each value has its own cookie, named by
/// the `state` of the redirect, so several tabs do not disturb each other. A browser keeps the 8 newest of these
/// cookies: [`set`](Self::set) removes the older ones.
///
/// An app stores in them what the callback of a sign-in needs: nonce, PKCE verifier and
/// [`StartedSignIn`](token_cache_core::StartedSignIn). The sign-out routes use such cookies for their own redirects.
///
/// Each cookie is `HttpOnly`, `SameSite=Lax`, `Secure` and named `__Host-`*name*`-`*state*. At `http` with a loopback
/// address, for development, the name has no prefix `__Host-`, and the cookie is not `Secure`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use token_cache::sign_out::StateCookies;
///
/// let signing_in = StateCookies::for_url("https://shop.example", "signing-in")?;
/// # let request = http::Request::get("/login").body(())?.into_parts().0;
/// // Before the redirect: `Set-Cookie` headers for the answer.
/// let headers = signing_in.set(&request, "af0ifjsldkj", "nonce.verifier.started")?;
/// # let cookie = headers[0].to_str()?.split(';').next().unwrap_or_default().to_owned();
/// # let request = http::Request::get("/callback").header("cookie", cookie).body(())?.into_parts().0;
/// // In the callback:
/// let value = signing_in.read(&request, "af0ifjsldkj")?;
/// assert_eq!(value, Some("nonce.verifier.started"));
/// let header = signing_in.removal("af0ifjsldkj"); // `Set-Cookie`, so that the state is good once
/// # assert!(header.is_some());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct StateCookies {
    cookie: HostCookie,
    max_age: Duration,
}

impl StateCookies {
    /// Creates the state cookies for the app at `public_url`. If the URL is `https`, the cookies are `Secure` and their
    /// names begin with `__Host-`.
    ///
    /// Use a different `name` for each purpose, such as `signing-in`. A browser keeps the 8 newest cookies of one name:
    /// a ninth removes the oldest, whose sign-in can then not be completed. The
    /// [sign-out routes](crate::SignOutRoutes) use the name `signing-out`. The browser keeps each cookie for 15 minutes,
    /// unless [`max_age`](Self::max_age) is called.
    ///
    /// # Errors
    /// [`ConfigError`] if `public_url` is not a URL, or is neither `https` nor `http` at a loopback address. Also if
    /// `name` is empty or has a character that a cookie name cannot have.
    pub fn for_url(public_url: &str, name: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            cookie: HostCookie::for_url(public_url, name)?,
            max_age: Duration::from_secs(15 * 60),
        })
    }

    /// Sets how long the browser keeps each cookie, in whole seconds. The default is 15 minutes. If the user comes back
    /// from the provider later than this, [`read`](Self::read) returns `None`.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Returns the `Set-Cookie` headers that store `value` under `state` in the browser. Add all of them to the
    /// response that redirects to the provider. If `request`, the one that this response answers, already has 8 or more
    /// of these cookies, the headers also remove the oldest ones.
    ///
    /// `state` is the parameter that the app sends to the provider: a new random text for each redirect. `value` is
    /// neither signed nor encrypted: the user can read and change it.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) in these cases:
    /// - `state` is empty, over 128 bytes, or has other characters than letters, digits, `-`, `_`, `.` and `~`.
    /// - `value` is over 3,800 bytes, or has characters that a cookie cannot have (RFC 6265bis section 4.1.1).
    pub fn set(&self, request: &Parts, state: &str, value: &str) -> Result<Vec<HeaderValue>> {
        const KEEP: &str = "store a state in a cookie";
        if !is_state(state) {
            return Err(Error::misuse(
                KEEP,
                "the state must be 1 to 128 letters, digits, `-`, `_`, `.` and `~`",
            ));
        }
        let is_cookie =
            |byte: u8| matches!(byte, 0x21 | 0x23..=0x2B | 0x2D..=0x3A | 0x3C..=0x5B | 0x5D..=0x7E);
        if value.len() > MAX_VALUE_LEN || !value.bytes().all(is_cookie) {
            return Err(Error::misuse(
                KEEP,
                "the value must be at most 3,800 bytes of ASCII without spaces, `\"`, `,`, `;` and `\\`; encode it as base64url",
            ));
        }
        let value = format!("{:012x}.{value}", now_in_millis());
        let mut headers = vec![
            self.cookie
                .with_suffix(state)
                .set(&value, Some(self.max_age)),
        ];
        let mut others: Vec<_> = self
            .pending(request)
            .filter(|(other, _)| *other != state)
            .collect();
        // Newest first, by the time at the start of the value. A value without a time counts as the oldest.
        others.sort_by(|(_, one), (_, other)| time_of(other).cmp(&time_of(one)));
        let superfluous = others.into_iter().skip(MAX_STATES - 1).take(MAX_REMOVED);
        headers.extend(superfluous.map(|(other, _)| self.cookie.with_suffix(other).removal()));
        Ok(headers)
    }

    /// Returns the value that this browser has under `state`, the parameter of the provider's redirect to the callback.
    ///
    /// Returns `None` if the browser has no such cookie, for example because it has expired. Also returns `None` if
    /// [`set`](Self::set) would refuse `state`. The callback must then refuse the sign-in.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) if the cookie cannot be read, as in [`read_cookie`], or was not set by
    /// [`set`](Self::set). An unreadable cookie is never reported as `None`.
    pub fn read<'a>(&self, request: &'a Parts, state: &str) -> Result<Option<&'a str>> {
        if !is_state(state) {
            return Ok(None);
        }
        let cookie = self.cookie.with_suffix(state);
        let Some(value) = read_cookie(request, cookie.name())? else {
            return Ok(None);
        };
        let value = value.split_once('.').map(|(_, value)| value);
        value.map(Some).ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, "read a cookie").message(format!(
                "the cookie `{}` was not set by this app",
                self.cookie.name()
            ))
        })
    }

    /// Returns the `Set-Cookie` header that removes the cookie of `state`. Add it to the callback's response, so that
    /// each `state` is valid once. Returns `None` if [`set`](Self::set) would refuse `state`, since then no such cookie
    /// exists.
    pub fn removal(&self, state: &str) -> Option<HeaderValue> {
        is_state(state).then(|| self.cookie.with_suffix(state).removal())
    }

    /// Returns `true` if this browser has a value under any state.
    pub(crate) fn has_any(&self, request: &Parts) -> bool {
        self.pending(request).next().is_some()
    }

    /// Returns the states of this browser, with their raw values.
    fn pending<'a>(&self, request: &'a Parts) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let prefix = format!("{}-", self.cookie.name());
        cookies(request).filter_map(move |(name, value)| {
            let state = str::from_utf8(name.strip_prefix(prefix.as_bytes())?).ok()?;
            is_state(state).then_some((state, value))
        })
    }
}

/// Returns a new state of 128 random bits.
pub(crate) fn random_state() -> Result<String> {
    let mut state = [0; 16];
    getrandom::fill(&mut state).map_err(|source| {
        Error::new(ErrorKind::Unexpected, "create a state")
            .message("the operating system returned no random bytes")
            .with_source(source)
    })?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(state))
}

fn is_state(state: &str) -> bool {
    (1..=128).contains(&state.len())
        && state
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
}

/// Only used to order cookies by age.
fn now_in_millis() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis()
}

fn time_of(value: &[u8]) -> Option<&[u8]> {
    let (time, rest) = value.split_at_checked(12)?;
    (time.iter().all(u8::is_ascii_hexdigit) && rest.starts_with(b".")).then_some(time)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use http::Request;

    use super::*;

    fn request(cookies: &BTreeMap<String, String>) -> Parts {
        let cookies: Vec<_> = cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let request = Request::get("/").header("cookie", cookies.join("; "));
        request.body(()).unwrap().into_parts().0
    }

    fn keep(browser: &mut BTreeMap<String, String>, headers: &[HeaderValue]) {
        for header in headers {
            let header = header.to_str().unwrap();
            let (pair, attributes) = header.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                browser.remove(name);
            } else {
                browser.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Replaces the time in a cookie of this browser.
    fn set_time(browser: &mut BTreeMap<String, String>, name: &str, time: u64) {
        let value = browser.get_mut(name).unwrap();
        *value = format!("{time:012x}{}", &value[12..]);
    }

    #[test]
    fn a_browser_keeps_the_8_newest_states() {
        let cookies = StateCookies::for_url("https://shop.example", "signing-in").unwrap();
        let mut browser = BTreeMap::new();
        browser.insert("__Host-signing-in-junk".to_owned(), "junk".to_owned());
        for tab in 0..20_u64 {
            // The states are not in alphabetical order.
            let state = format!("{:x}-{tab}", tab.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let headers = cookies.set(&request(&browser), &state, &format!("v{tab}"));
            keep(&mut browser, &headers.unwrap());
            set_time(&mut browser, &format!("__Host-signing-in-{state}"), tab);
        }
        let mut values: Vec<_> = browser.values().map(|value| &value[13..]).collect();
        values.sort_unstable();
        assert_eq!(
            values,
            ["v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19"]
        );
    }

    #[test]
    fn each_tab_reads_its_own() {
        let cookies = StateCookies::for_url("http://localhost:3000", "signing-in").unwrap();
        let mut browser = BTreeMap::new();
        for state in ["one", "two"] {
            let headers = cookies.set(&request(&browser), state, &format!("{state}.x"));
            keep(&mut browser, &headers.unwrap());
        }
        for state in ["two", "one"] {
            let value = format!("{state}.x");
            assert_eq!(
                cookies.read(&request(&browser), state).unwrap(),
                Some(value.as_str())
            );
            keep(&mut browser, &[cookies.removal(state).unwrap()]);
            assert_eq!(cookies.read(&request(&browser), state).unwrap(), None);
        }
    }

    #[test]
    fn what_is_no_state_and_what_fits_no_cookie_is_refused() {
        let cookies = StateCookies::for_url("https://shop.example", "signing-in").unwrap();
        let nothing = request(&BTreeMap::new());
        for state in ["", "a;b", "a=b", "a b", "\u{fc}", &"a".repeat(129)] {
            assert!(cookies.set(&nothing, state, "v").is_err(), "{state}");
            assert_eq!(cookies.read(&nothing, state).unwrap(), None);
            assert!(cookies.removal(state).is_none());
        }
        for value in ["a;b", "a b", "\"a\"", "\u{fc}", &"a".repeat(3_801)] {
            assert!(cookies.set(&nothing, "s", value).is_err(), "{value}");
        }
        assert!(StateCookies::for_url("http://shop.example", "signing-in").is_err());
        assert!(StateCookies::for_url("shop", "signing-in").is_err());
    }

    #[test]
    fn an_unreadable_value_is_not_an_absent_one() {
        let cookies = StateCookies::for_url("https://shop.example", "signing-in").unwrap();
        for header in [
            &b"__Host-signing-in-s=\xfc"[..],
            b"__Host-signing-in-s=x",
            b"__Host-signing-in-s=1.a; __Host-signing-in-s=1.b",
        ] {
            let request = Request::get("/").header("cookie", header);
            let (request, ()) = request.body(()).unwrap().into_parts();
            assert!(cookies.read(&request, "s").is_err());
        }
    }
}
