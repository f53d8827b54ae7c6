use token_cache_core::{AccountId, ProviderSid, Result, SignOut};

use crate::SignOutScopeKind;

/// A sign-out that was carried out or failed. The app's hook receives it after every kind of sign-out.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SignOutEvent {
    /// The cause of the sign-out.
    pub cause: SignOutCause,
    /// The kind of sessions that it was to end.
    pub scope: SignOutScopeKind,
    /// The account, if its id is known. A `sid` does not identify an account, and neither does a ticket without an ID
    /// token.
    pub account: Option<AccountId>,
    /// The session at the provider, if its id is known.
    pub provider_session: Option<ProviderSid>,
    /// The result. After an error the sign-out must be requested again.
    pub result: Result<SignOut>,
}

/// The cause of a sign-out.
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
