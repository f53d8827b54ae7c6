use url::Url;

/// A browser that is asked whether to sign out.
pub(super) struct WantsToSignOut {
    pub(super) cookie: String,
    /// The URL at which the browser continues.
    pub(super) next: Option<Url>,
}
