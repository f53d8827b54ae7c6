use std::fmt;

use token_cache::ErrorKind;

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

/// Why a cache did not do what it was asked for.
#[derive(Debug)]
pub(crate) enum Denied {
    SignedOut,
    Failed(String),
}

impl From<token_cache::Error> for Denied {
    fn from(error: token_cache::Error) -> Self {
        if matches!(
            error.kind(),
            ErrorKind::SignedOut | ErrorKind::SignInRevoked
        ) {
            Self::SignedOut
        } else {
            Self::Failed(error.to_string())
        }
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::SignedOut => Self::new("the session has ended"),
            Denied::Failed(message) => Self::new(message),
        }
    }
}

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

/// The exit code of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// token-cache kept its promises, and the plain cache did not.
    Proved,
    /// token-cache broke a promise.
    PromiseBroken,
    /// The arguments can't be used.
    Usage,
    /// token-cache kept its promises, but the plain cache did otherwise than a plain cache does.
    ProvesNothing,
    /// The story could not be told to its end: the store can't be reached, or the deadline passed.
    Unfinished,
}

impl Exit {
    /// The code of the process: 0 to 4, in the order of the variants.
    pub const fn code(self) -> u8 {
        match self {
            Self::Proved => 0,
            Self::PromiseBroken => 1,
            Self::Usage => 2,
            Self::ProvesNothing => 3,
            Self::Unfinished => 4,
        }
    }
}
