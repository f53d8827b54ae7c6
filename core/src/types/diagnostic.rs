use std::fmt;

use crate::util::log;

/// A finding about the store or about this app server's configuration, for an operator: what is wrong, its effect, and how to fix it.
///
/// [`TokenCache::diagnostics`](crate::TokenCache::diagnostics) returns the diagnostics of a cache. Opening the cache logs them. Authors of
/// a store create them, and return them from [`TokenStore::diagnostics`](crate::TokenStore::diagnostics).
///
/// ```
/// use token_cache::admin::{Diagnostic, Severity};
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
    /// A stable name of the finding in snake case, for filters and alerts. It begins with the store's name if it concerns the store.
    pub id: &'static str,
    /// The severity of the finding. [`Severity::Info`] is logged at INFO, and [`Severity::Warning`] at WARN.
    pub severity: Severity,
    /// The finding and its effect, as a text for the operator. It contains no keys, tokens or ids of users.
    pub message: String,
    /// The command or the setting that fixes the finding.
    pub fix: String,
}

/// The severity of a [`Diagnostic`]: the finding may be intended, or it must be fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Severity {
    /// The finding may be intended. By itself, it weakens no promise of token-cache, such as that a sign-out is final on every server (G1).
    /// It is logged at INFO.
    Info,
    /// The finding must be fixed. It weakens a promise of token-cache, such as that a sign-out is final on every server (G1), or requests
    /// to the store will fail. It is logged at WARN.
    Warning,
}

impl Diagnostic {
    /// Creates a diagnostic of [`Severity::Warning`], for a finding that must be fixed. Authors of a store call it. The parameters are the
    /// fields of the same names.
    pub fn warning(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            id,
            severity: Severity::Warning,
            message: message.into(),
            fix: fix.into(),
        }
    }

    /// Creates a diagnostic of [`Severity::Info`], for a finding that may be intended. Authors of a store call it. The parameters are the
    /// fields of the same names.
    pub fn info(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            severity: Severity::Info,
            ..Self::warning(id, message, fix)
        }
    }

    pub(crate) fn log(&self) {
        match self.severity {
            Severity::Info => log::info("diagnostic", format_args!("{self}")),
            Severity::Warning => log::warn("diagnostic", format_args!("{self}")),
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
