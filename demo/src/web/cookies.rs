use std::{fmt::Write, time::Duration};

use axum::http::HeaderValue;

/// The names and attributes of cookies: `__Host-` and `Secure`, except for plain http at a loopback address.
///
/// Cookies don't tell ports apart, so the servers of one host share them: a browser that is signed in on one is so on all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    plain: bool,
}

impl Cookies {
    pub(crate) const fn new(plain: bool) -> Self {
        Self { plain }
    }

    pub(crate) const fn are_plain(self) -> bool {
        self.plain
    }

    /// Returns a cookie for `life`, or until the browser is closed. Returns `None` if the value does not fit into a header.
    pub(crate) fn set(
        self,
        name: &str,
        value: &str,
        life: Option<Duration>,
    ) -> Option<HeaderValue> {
        let mut cookie = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax",
            self.full(name)
        );
        if !self.plain {
            cookie.push_str("; Secure");
        }
        if let Some(life) = life {
            // Writing to a string can't fail.
            let _ = write!(cookie, "; Max-Age={}", life.as_secs());
        }
        HeaderValue::from_str(&cookie).ok()
    }

    /// The name that browsers know the cookie by.
    pub(crate) fn full(self, name: &str) -> String {
        if self.plain {
            name.to_owned()
        } else {
            format!("__Host-{name}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_does_without_secure_and_host() {
        let set = |plain| {
            let cookie = Cookies::new(plain).set("demo", "x", Some(Duration::from_secs(9)));
            cookie.unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(
            set(false),
            "__Host-demo=x; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=9"
        );
        assert_eq!(
            set(true),
            "demo=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=9"
        );
    }
}
