/// The kind of sessions that a sign-out ends. Pass it to
/// [`SignOutRoutesBuilder::scope`](crate::SignOutRoutesBuilder::scope) for the app's own sign-out
/// ([`SignOutRoutes::logout`](crate::SignOutRoutes::logout)). A [`SignOutEvent`](crate::SignOutEvent) reports it for
/// every sign-out.
///
/// It is a [`SignOutScope`](token_cache_core::SignOutScope) without the session, `sid` or account, which the [sign-out
/// routes](crate::SignOutRoutes) take from the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SignOutScopeKind {
    /// One session: one sign-in of one browser in this app. For the app's own sign-out, it is the session that the
    /// request's ticket names. The other sessions of the account stay live.
    Session,
    /// The sessions with one `sid`, the id of the provider's own session with the user: those of one browser at the
    /// provider, in all apps that share the cache. The app's own sign-out takes the `sid` of the session that the
    /// request's ticket names. If that session has no `sid`, only that session ends.
    ProviderSession,
    /// Every session of an account, in every browser. For the app's own sign-out, it is the account of the session that
    /// the request's ticket names. This is the default of
    /// [`SignOutRoutesBuilder::scope`](crate::SignOutRoutesBuilder::scope).
    #[default]
    Account,
}
