//! Where the routes are mounted: what an app registers at its providers. A router or a scope that they are nested in puts its own
//! path before each of them.

use http::request::Parts;

/// The app's own sign-out.
pub const LOGOUT: &str = "/logout";

/// Where a provider sends the browser back to: the path of every `post_logout_redirect_uri`.
pub const POST_LOGOUT_REDIRECT: &str = "/signed-out";

/// The `backchannel_logout_uri`.
pub const BACK_CHANNEL_LOGOUT: &str = "/backchannel-logout";

/// The `frontchannel_logout_uri`.
pub const FRONT_CHANNEL_LOGOUT: &str = "/frontchannel-logout";

/// Where a transmitter of security events pushes them to.
pub const SECURITY_EVENTS: &str = "/security-events";

/// All of them.
pub(crate) const ALL: [&str; 5] = [
    LOGOUT,
    POST_LOGOUT_REDIRECT,
    BACK_CHANNEL_LOGOUT,
    FRONT_CHANNEL_LOGOUT,
    SECURITY_EVENTS,
];

/// True if a path can be one of [`ALL`] behind the path of a router or a scope that the routes are nested in.
pub(crate) fn may_be_nested(path: &str) -> bool {
    ALL.iter()
        .any(|ours| path.len() > ours.len() && path.ends_with(ours))
}

/// The path of a request before axum's nesting took the router's own path from it.
#[cfg(feature = "axum-0_8")]
pub(crate) fn original_path(request: &Parts) -> Option<&str> {
    let original = request.extensions.get::<axum::extract::OriginalUri>();
    original.map(|original| original.0.path())
}

#[cfg(not(feature = "axum-0_8"))]
pub(crate) fn original_path(_: &Parts) -> Option<&str> {
    None
}

/// In the extensions of an answer: one of the sign-out routes gave it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignOutRouteResponse;
