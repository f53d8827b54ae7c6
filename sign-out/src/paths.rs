//! The paths of the sign-out routes. Register the URLs at your providers. A router or scope that nests the routes adds
//! its own path before them.

use http::request::Parts;

/// The path of the app's own sign-out, [`SignOutRoutes::logout`](crate::SignOutRoutes::logout). The app's pages link or
/// post to it.
pub const LOGOUT: &str = "/logout";

/// The path of the page to which the provider sends users back,
/// [`SignOutRoutes::post_logout_redirect`](crate::SignOutRoutes::post_logout_redirect). Every
/// `post_logout_redirect_uri` has it.
pub const POST_LOGOUT_REDIRECT: &str = "/signed-out";

/// The path of the `backchannel_logout_uri`, to which providers send logout tokens. Its handler is
/// [`SignOutRoutes::back_channel_logout`](crate::SignOutRoutes::back_channel_logout).
pub const BACK_CHANNEL_LOGOUT: &str = "/backchannel-logout";

/// The path of the `frontchannel_logout_uri`, which providers load in an iframe. Its handler is
/// [`SignOutRoutes::front_channel_logout`](crate::SignOutRoutes::front_channel_logout).
pub const FRONT_CHANNEL_LOGOUT: &str = "/frontchannel-logout";

/// The path of the endpoint to which transmitters push security events. Its handler is
/// [`SignOutRoutes::security_event`](crate::SignOutRoutes::security_event).
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
