//! The paths of the sign-out routes. Register the URLs at your providers. A router or scope that nests the routes adds
//! its own path before them.

use http::request::Parts;

/// The app's own sign-out.
pub const LOGOUT: &str = "/logout";

/// The page to which the provider sends users back. It is the path of every `post_logout_redirect_uri`.
pub const POST_LOGOUT_REDIRECT: &str = "/signed-out";

/// The `backchannel_logout_uri`.
pub const BACK_CHANNEL_LOGOUT: &str = "/backchannel-logout";

/// The `frontchannel_logout_uri`.
pub const FRONT_CHANNEL_LOGOUT: &str = "/frontchannel-logout";

/// The endpoint to which transmitters push security events.
pub const SECURITY_EVENTS: &str = "/security-events";

/// All paths of this module.
pub(crate) const ALL: [&str; 5] = [
    LOGOUT,
    POST_LOGOUT_REDIRECT,
    BACK_CHANNEL_LOGOUT,
    FRONT_CHANNEL_LOGOUT,
    SECURITY_EVENTS,
];

/// Returns `true` if `path` ends with one of [`ALL`], as in a router or a scope that nests the routes.
pub(crate) fn may_be_nested(path: &str) -> bool {
    ALL.iter()
        .any(|ours| path.len() > ours.len() && path.ends_with(ours))
}

/// Returns the path of a request as it was before axum's nested router removed its prefix.
#[cfg(feature = "axum-0_8")]
pub(crate) fn original_path(request: &Parts) -> Option<&str> {
    let original = request.extensions.get::<axum::extract::OriginalUri>();
    original.map(|original| original.0.path())
}

#[cfg(not(feature = "axum-0_8"))]
pub(crate) fn original_path(_: &Parts) -> Option<&str> {
    None
}

/// Marks a response of a sign-out route, in the extensions of the response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignOutRouteResponse;
