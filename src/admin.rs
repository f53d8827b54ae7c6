//! For operators and their tools: sign-outs of many accounts, lists of accounts, diagnostics and telemetry.
//!
//! - [`TokenCache::sign_out_issuer`](crate::TokenCache::sign_out_issuer) and
//!   [`TokenCache::sign_out_accounts`](crate::TokenCache::sign_out_accounts) create a [`BulkSignOut`], which signs users out step by step.
//! - [`TokenCache::accounts`](crate::TokenCache::accounts) lists the accounts for which the store has data, as keyed hashes, in pages.
//! - [`TokenCache::diagnostics`](crate::TokenCache::diagnostics) returns the settings that weaken a promise, each with its fix.
//! - [`SidMeaning`] is the setting for a provider that uses one `sid` for many sessions of a user.
//! - [`telemetry`] lists the metrics and the spans.

#[doc(inline)]
pub use token_cache_core::{
    AccountCursor, AccountListOptions, AccountPage, BulkCheckpoint, BulkProgress, BulkSignOut,
    Diagnostic, Severity, SidMeaning, telemetry,
};
