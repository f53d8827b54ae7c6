//! Background access: a job or a webhook, which has no ticket, opens the session of a user.
//!
//! The app allows it at the sign-in, with [`SignIn::background_access`](crate::SignIn::background_access). Later,
//! [`TokenCache::background_session`](crate::TokenCache::background_session) opens the session by its account alone. Background access ends
//! with the session: after a sign-out, no job on any server can read its tokens (G1).
//!
//! It is not the scope `offline_access` of OpenID Connect (Core section 11), by which an app asks a provider for a refresh token.
//!
//! An app needs only these two methods. The items of this module are for authors of a store, which stores the background sessions.

#[doc(inline)]
pub use token_cache_core::{BackgroundKey, BackgroundSession, BackgroundSessions};
