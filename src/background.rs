//! Background access: a session for a job that has no ticket.
//!
//! A sign-in with [`SignIn::background_access`](crate::SignIn::background_access) can be opened later by its account alone, with
//! [`TokenCache::background_session`](crate::TokenCache::background_session), for example in a webhook or a nightly job. Background
//! access ends with the session: a sign-out is final for jobs on every server too (G1).
//!
//! This is not the scope `offline_access` of OpenID Connect (Core section 11), which asks a provider for a refresh token.
//!
//! The items of this module are for authors of a store, which stores the background sessions.

#[doc(inline)]
pub use token_cache_core::{BackgroundKey, BackgroundSession, BackgroundSessions};
