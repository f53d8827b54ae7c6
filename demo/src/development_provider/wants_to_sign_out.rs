use url::Url;

/// A browser that is asked whether to sign out.
pub(super) struct WantsToSignOut {
    pub(super) cookie: String,
    /// Where it goes on to.
    pub(super) next: Option<Url>,
}
