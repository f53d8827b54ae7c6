/// What the app's own sign-out ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Ends {
    /// Every session of the account, in every browser.
    #[default]
    Account,
    /// The sessions that were begun under the same session at the provider: those of this browser, in all apps that share the
    /// cache.
    ProviderSession,
    /// The session of this browser in this app alone.
    Session,
}
