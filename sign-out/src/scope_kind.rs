/// The kind of a [`SignOutScope`](token_cache_core::SignOutScope): which sessions a sign-out ends, without their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SignOutScopeKind {
    /// One session: one sign-in of one browser in this app.
    Session,
    /// The sessions that began under one session at the provider: those of one browser, in all apps that share the cache.
    ProviderSession,
    /// Every session of an account, in every browser.
    #[default]
    Account,
}
