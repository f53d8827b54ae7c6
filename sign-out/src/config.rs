use std::fmt;

/// An invalid setting of the sign-out routes, of a cookie or of the session check. Its text names the setting and says
/// what to change. The function that takes the setting returns it, or
/// [`SignOutRoutesBuilder::build`](crate::SignOutRoutesBuilder::build). No request has been sent then.
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
