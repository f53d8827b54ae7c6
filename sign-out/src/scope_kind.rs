/// The kind of sessions that a sign-out ends. Pass it to
/// [`SignOutRoutesBuilder::scope`](crate::SignOutRoutesBuilder::scope); a [`SignOutEvent`](crate::SignOutEvent) has it
/// too. It is a [`SignOutScope`](token_cache_core::SignOutScope) without the ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SignOutScopeKind {
    /// One session: one sign-in of one browser in this app.
    Session,
    /// The sessions with one `sid`: those of one browser at the provider, in all apps that share the cache.
    ProviderSession,
    /// Every session of an account, in every browser. This is the default.
    #[default]
    Account,
}
