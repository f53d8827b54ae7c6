use token_cache_core::{AccountId, ProviderSid, Result, SignOut};

use crate::SignOutScopeKind;

/// A sign-out that the routes carried out, or failed to carry out. The hook of
/// [`on_sign_out`](crate::SignOutRoutesBuilder::on_sign_out) receives it, for example to write an audit log.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SignOutEvent {
    /// The cause of the sign-out: the user in this app, or a kind of message of the provider.
    pub cause: SignOutCause,
    /// The kind of sessions that the sign-out was to end.
    ///
    /// For the app's own sign-out, it is [`SignOutRoutesBuilder::scope`](crate::SignOutRoutesBuilder::scope). For a
    /// provider's message, it is [`ProviderSession`](SignOutScopeKind::ProviderSession) if the message ends the
    /// sessions with a `sid`, and otherwise [`Account`](SignOutScopeKind::Account). A front-channel request without
    /// parameters ends only the session of the browser's ticket: [`Session`](SignOutScopeKind::Session).
    pub scope: SignOutScopeKind,
    /// The account, or `None` if its id is not known. A message with only a `sid` does not name the account. The app's
    /// own sign-out knows it only if the app stored the ID token under [`id_token_key`](crate::id_token_key).
    pub account: Option<AccountId>,
    /// The session at the provider (`sid`), or `None` if the message or the stored ID token has no `sid`, or no ID
    /// token is stored.
    pub provider_session: Option<ProviderSid>,
    /// The result. `Ok` with [`ended`](token_cache_core::SignOut::ended) = `false` means that no session was left to
    /// end. After an error the sessions may be live, and the sign-out must be requested again.
    pub result: Result<SignOut>,
}

/// The cause of a sign-out, in a [`SignOutEvent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignOutCause {
    /// The user, in this app: [`SignOutRoutes::logout`](crate::SignOutRoutes::logout) (OpenID Connect RP-Initiated
    /// Logout 1.0).
    RpInitiated,
    /// The provider, by an iframe in the user's browser (OpenID Connect Front-Channel Logout 1.0).
    FrontChannel,
    /// The provider, by a message to this server (OpenID Connect Back-Channel Logout 1.0).
    BackChannel,
    /// A transmitter of security events (OpenID CAEP 1.0 and RISC 1.0).
    SharedSignals,
}
