//! For operators and their tools: bulk sign-outs, lists of accounts, diagnostics and telemetry.
//!
//! [`TokenCache::sign_out_issuer`](crate::TokenCache::sign_out_issuer) and
//! [`TokenCache::sign_out_accounts`](crate::TokenCache::sign_out_accounts) return a [`BulkSignOut`], which signs users out step by step.
//! [`TokenCache::accounts`](crate::TokenCache::accounts) returns the accounts that have anything stored, as keyed hashes, in pages.
//! [`TokenCache::diagnostics`](crate::TokenCache::diagnostics) returns each setting that weakens a promise, with its fix.

#[doc(inline)]
pub use token_cache_core::{
    AccountCursor, AccountListOptions, AccountPage, BulkCheckpoint, BulkProgress, BulkSignOut,
    Diagnostic, Severity, telemetry,
};
