//! The error of invalid settings, and the checks of URLs and paths that several settings share.

use std::fmt;

use token_cache_http_client::is_encrypted_or_local;
use url::Url;

/// An invalid setting of the [sign-out routes](crate::SignOutRoutes), of a [cookie](crate::TicketCookie) or of the
/// [`SessionCheck`](crate::SessionCheck). Its text names the setting and says what to change.
///
/// The function that takes the setting returns this error, or
/// [`SignOutRoutesBuilder::build`](crate::SignOutRoutesBuilder::build) does. No request has been sent then.
///
/// `{:?}` prints the same sentence as `{}`, so that an error returned from `main` is readable. `{:#?}` prints the
/// struct.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot build the sign-out routes: {message}")]
pub struct ConfigError {
    message: String,
}

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        f.debug_struct("ConfigError")
            .field("message", &self.message)
            .finish()
    }
}

/// Parses a URL that is safe to fetch or to redirect users to: `https`, or `http` at a loopback address.
pub(crate) fn parse_https_url(what: &str, text: &str) -> Result<Url, ConfigError> {
    // A URL parser drops white space, but the issuer of a message is compared byte by byte.
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(ConfigError::new(format!(
            "{what} {text:?} contains white space; write it exactly as the provider does"
        )));
    }
    let url = Url::parse(text)
        .map_err(|error| ConfigError::new(format!("{what} {text:?} must be a URL: {error}")))?;
    if is_encrypted_or_local(&url) {
        return Ok(url);
    }
    Err(ConfigError::new(format!(
        "{what} {text:?} is not allowed; use https, or http at a loopback address"
    )))
}

/// Returns `true` if browsers treat `path` as a path of the same origin.
pub(crate) fn is_local_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path
            .chars()
            .any(|c| c == '\\' || c.is_ascii_control() || !c.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::ConfigError;

    #[test]
    fn an_error_returned_from_main_prints_a_sentence() {
        let error = ConfigError::new("the path `a` does not begin with `/`");
        assert_eq!(format!("{error:?}"), error.to_string());
        assert!(format!("{error:#?}").starts_with("ConfigError {"));
    }
}
