/// The kind of sessions that a sign-out ends. Pass it to
/// [`SignOutRoutesBuilder::scope`](crate::SignOutRoutesBuilder::scope) for the app's own sign-out. A
/// [`SignOutEvent`](crate::SignOutEvent) reports it for every sign-out.
///
/// It is a [`SignOutScope`](token_cache_core::SignOutScope) without the session, `sid` or account, which the routes
/// take from the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SignOutScopeKind {
    /// One session: one sign-in of one browser in this app.
    Session,
    /// The sessions with one `sid`: those of one browser at the provider, in all apps that share the cache. If the
    /// session has no `sid`, the app's own sign-out ends only this session.
    ProviderSession,
    /// Every session of an account, in every browser. This is the default.
    #[default]
    Account,
}
