use token_cache_core::{AccountId, ProviderSid, Result, SignOut, SignOutScopeKind};

/// The report of a sign-out that the [sign-out routes](crate::SignOutRoutes) carried out, or failed to carry out. The
/// function that was set with [`on_sign_out`](crate::SignOutRoutesBuilder::on_sign_out) receives it, for example to
/// write an audit log.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SignOutEvent {
    /// The cause of the sign-out: the user in this app, or one kind of message of a provider.
    pub cause: SignOutCause,
    /// The kind of sessions that the sign-out was to end.
    ///
    /// For the app's own sign-out ([`RpInitiated`](SignOutCause::RpInitiated)), it is the setting
    /// [`SignOutRoutesBuilder::scope`](crate::SignOutRoutesBuilder::scope). For a provider's message that ends the
    /// sessions with a `sid`, it is [`ProviderSession`](SignOutScopeKind::ProviderSession). For other messages, it is
    /// [`Account`](SignOutScopeKind::Account). A front-channel request without parameters ends only the session of the
    /// browser's ticket: [`Session`](SignOutScopeKind::Session).
    pub scope: SignOutScopeKind,
    /// The account that was signed out, or `None` if its id is not known. A provider's message with only a `sid` does
    /// not name the account, and neither does a front-channel request without parameters. For the app's own sign-out
    /// ([`RpInitiated`](SignOutCause::RpInitiated)), the account is known only if the app stored the session's ID token
    /// under [`id_token_key`](crate::id_token_key).
    pub account: Option<AccountId>,
    /// The provider's session (`sid`) that was signed out. For a provider's message, it comes from the message. For the
    /// app's own sign-out ([`RpInitiated`](SignOutCause::RpInitiated)), it comes from the ID token that the app stored
    /// under [`id_token_key`](crate::id_token_key).
    ///
    /// It is `None` if the message or the ID token has no `sid`, or if no ID token is stored. It is also `None` if the
    /// provider sends the user's `sub` as the `sid` ([`SubjectAsSid`](crate::FrontChannelParameters::SubjectAsSid)).
    pub provider_session: Option<ProviderSid>,
    /// The result of the sign-out. `Ok` with [`ended`](token_cache_core::SignOut::ended) = `true` means that sessions
    /// have ended, and `Ok` with `false` that no session was left to end. After an error the sessions may still be
    /// live, and the user or the provider must request the sign-out again.
    pub result: Result<SignOut>,
}

/// The cause of a sign-out, in [`SignOutEvent::cause`]: the user in this app, or one kind of message of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignOutCause {
    /// The user signed out in this app, at [`SignOutRoutes::logout`](crate::SignOutRoutes::logout) (OpenID Connect
    /// RP-Initiated Logout 1.0).
    RpInitiated,
    /// The provider requested the sign-out by an iframe in the user's browser (OpenID Connect Front-Channel Logout
    /// 1.0).
    FrontChannel,
    /// The provider sent a logout token to an app server (OpenID Connect Back-Channel Logout 1.0).
    BackChannel,
    /// A provider sent a security event to an app server (OpenID CAEP 1.0 and RISC 1.0).
    SharedSignals,
}
