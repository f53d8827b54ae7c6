use token_cache_core::{AccountId, ProviderSid, Result, SignOut};

use crate::SignOutScopeKind;

/// Somebody has signed out: what an app is told, for caches and records of its own, after every kind of sign-out.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SignOutEvent {
    /// Who asked for it.
    pub cause: SignOutCause,
    /// What was to end.
    pub scope: SignOutScopeKind,
    /// The account, where it is known by name: a `sid` alone does not tell it, nor does a ticket without an ID token.
    pub account: Option<AccountId>,
    /// The session at the provider, where it is known by name.
    pub provider_session: Option<ProviderSid>,
    /// What became of it: an error is a sign-out that did not happen, and that somebody has to ask for again.
    pub result: Result<SignOut>,
}

/// Who asked for a sign-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignOutCause {
    /// The user, in this app (OpenID Connect RP-Initiated Logout 1.0).
    RpInitiated,
    /// The provider, by an iframe in the user's browser (OpenID Connect Front-Channel Logout 1.0).
    FrontChannel,
    /// The provider, by a message to this server (OpenID Connect Back-Channel Logout 1.0).
    BackChannel,
    /// A transmitter of security events (OpenID CAEP 1.0 and RISC 1.0).
    SharedSignals,
}
