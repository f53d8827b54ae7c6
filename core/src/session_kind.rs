/// How a session was begun: by a sign-in of the user or the application, or by a web API on behalf of a user.
///
/// [`max_sessions`](crate::TokenCacheBuilder::max_sessions) limits the sessions of an account for each kind separately. The sessions of web
/// APIs therefore do not displace those of browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store must record and count all of them"
)]
pub enum SessionKind {
    /// A user signed in, or an application began the session for itself
    /// ([`TokenCache::application`](crate::TokenCache::application)).
    #[default]
    Direct,
    /// A web API began the session for a user whose access token it received: see
    /// [`TokenCache::on_behalf_of`](crate::TokenCache::on_behalf_of).
    OnBehalfOf,
}
