/// What is wrong with the settings of [`SignOutRoutes`](crate::SignOutRoutes): found when they are built, before any I/O.
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
