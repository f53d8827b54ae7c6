use std::error::Error;
use std::fmt;

/// The reason why a server for tests is not available or did not do what was requested. The message says what to do.
#[derive(Debug)]
pub struct ServerError(String);

impl ServerError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns a function that adds the operation in progress to an error.
    pub(crate) fn during<E: fmt::Display>(what: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |error| Self(format!("{what}: {error}"))
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for ServerError {}
