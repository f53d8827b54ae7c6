use std::fmt;

/// Why the story could not be told to its end: one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<token_cache::Error> for Failure {
    fn from(error: token_cache::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<token_cache::sign_out::ConfigError> for Failure {
    fn from(error: token_cache::sign_out::ConfigError) -> Self {
        Self(error.to_string())
    }
}

impl From<token_cache_dev_provider::ProviderError> for Failure {
    fn from(error: token_cache_dev_provider::ProviderError) -> Self {
        Self(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// An error and what it came from, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}
