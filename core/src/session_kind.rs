/// How a session was begun: by its owner, or by a web API on behalf of a user.
///
/// [`max_sessions`](crate::TokenCacheBuilder::max_sessions) limits the sessions of an account for each kind separately. The sessions of web
/// APIs therefore do not displace those of browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store must record and count all of them"
)]
pub enum SessionKind {
    /// The owner of the account began the session: a user who signed in, or an application for itself.
    #[default]
    Direct,
    /// A web API began the session for a user whose access token it received: see
    /// [`TokenCache::on_behalf_of`](crate::TokenCache::on_behalf_of).
    OnBehalfOf,
}
