/// How a session came to be. An account's sessions are counted by kind, so that a web API's do not push out its users' browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store must record and count all of them"
)]
pub enum SessionKind {
    /// Its owner began it: a user who signed in, or an application.
    #[default]
    Direct,
    /// A web API began it from a token that it was called with.
    OnBehalfOf,
}
