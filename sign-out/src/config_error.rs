/// An invalid setting of [`SignOutRoutes`](crate::SignOutRoutes). It is returned when they are built, before any I/O.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("sign-out routes can't be built: {message}")]
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
