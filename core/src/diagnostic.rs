use std::fmt;

use crate::telemetry;

/// A fact about the store, or about this server's configuration, that an operator should know, with its effect and its fix.
///
/// [`TokenCache::diagnostics`](crate::TokenCache::diagnostics) returns those of a cache. They are also logged when the cache is
/// opened.
///
/// ```
/// use token_cache_core::{Diagnostic, Severity};
///
/// let diagnostic = Diagnostic::warning(
///     "redis_maxmemory_policy",
///     "with `allkeys-lru` the server can drop sessions",
///     "CONFIG SET maxmemory-policy noeviction",
/// );
/// assert_eq!(diagnostic.severity, Severity::Warning);
/// assert_eq!(
///     diagnostic.to_string(),
///     "redis_maxmemory_policy: with `allkeys-lru` the server can drop sessions; to fix it: CONFIG SET maxmemory-policy noeviction"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// A stable name in snake case, for filters and alerts. It begins with the store's name.
    pub id: &'static str,
    /// The severity: a warning weakens a promise, or makes requests fail.
    pub severity: Severity,
    /// The finding and its effect, without keys, tokens and ids of users.
    pub message: String,
    /// The command or the setting that fixes it.
    pub fix: String,
}

/// How serious a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Severity {
    /// A state that may be intended. It weakens no promise by itself.
    Info,
    /// A promise is weakened, or requests will fail.
    Warning,
}

impl Diagnostic {
    /// Returns a diagnostic of [`Severity::Warning`].
    pub fn warning(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            id,
            severity: Severity::Warning,
            message: message.into(),
            fix: fix.into(),
        }
    }

    /// Returns a diagnostic of [`Severity::Info`].
    pub fn info(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            severity: Severity::Info,
            ..Self::warning(id, message, fix)
        }
    }

    pub(crate) fn log(&self) {
        match self.severity {
            Severity::Info => telemetry::info("diagnostic", format_args!("{self}")),
            Severity::Warning => telemetry::warn("diagnostic", format_args!("{self}")),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id, message, fix, ..
        } = self;
        write!(f, "{id}: {message}; to fix it: {fix}")
    }
}
