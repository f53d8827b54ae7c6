use std::fmt;

use crate::telemetry;

/// A fact about the store, or about this server's configuration, that an operator should know, with its effect and its fix.
///
/// [`TokenCache::diagnostics`](crate::TokenCache::diagnostics) returns those of a cache. They are also logged when the cache is
/// opened. Authors of a store create them, and return them from [`TokenStore::diagnostics`](crate::TokenStore::diagnostics).
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
    /// A stable name in snake case, for filters and alerts. It begins with the store's name if it concerns the store.
    pub id: &'static str,
    /// How serious it is. It decides whether it is logged at INFO or at WARN.
    pub severity: Severity,
    /// The finding and its effect, without keys, tokens and ids of users.
    pub message: String,
    /// The command or the setting that fixes it.
    pub fix: String,
}

/// How serious a [`Diagnostic`] is: it may be intended, or it must be fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Severity {
    /// A state that may be intended. It weakens no promise by itself, and is logged at INFO.
    Info,
    /// A promise is weakened, such as that a sign-out is final on every server (G1), or requests will fail. It is logged at WARN.
    Warning,
}

impl Diagnostic {
    /// Creates a diagnostic of [`Severity::Warning`]. The parameters are the fields of the same names.
    pub fn warning(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            id,
            severity: Severity::Warning,
            message: message.into(),
            fix: fix.into(),
        }
    }

    /// Creates a diagnostic of [`Severity::Info`]. The parameters are the fields of the same names.
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
