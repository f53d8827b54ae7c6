/// How a session was begun: by a user or an application, or by a web API on behalf of a user.
///
/// The sessions of an account are counted by kind, each with the limit [`max_sessions`](crate::TokenCacheBuilder::max_sessions). So the
/// sessions of web APIs do not displace those of browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store must record and count all of them"
)]
pub enum SessionKind {
    /// Begun by its owner: a user who signed in, or an application.
    #[default]
    Direct,
    /// Begun by a web API from an access token that it received (on-behalf-of).
    OnBehalfOf,
}
