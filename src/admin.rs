//! For operators and their tools: bulk sign-outs, lists of accounts, diagnostics and telemetry.
//!
//! [`TokenCache::sign_out_issuer`](crate::TokenCache::sign_out_issuer) and
//! [`TokenCache::sign_out_accounts`](crate::TokenCache::sign_out_accounts) return a [`BulkSignOut`], which proceeds in steps.
//! [`TokenCache::accounts`](crate::TokenCache::accounts) returns an [`AccountPage`].
//! [`TokenCache::diagnostics`](crate::TokenCache::diagnostics) returns what weakens a promise in the current configuration.

#[doc(inline)]
pub use token_cache_core::{
    AccountCursor, AccountListOptions, AccountPage, BulkCheckpoint, BulkProgress, BulkSignOut,
    Diagnostic, Severity, telemetry,
};
