//! The paths of the sign-out routes. At each provider, register the URLs of the paths that it uses: the app's public URL
//! followed by the path. A router or scope that nests the routes adds its own path before them.

use http::request::Parts;

/// The path of the app's own sign-out. A page of the app links to it, or has a form that posts to it. The handler is
/// [`SignOutRoutes::logout`](crate::SignOutRoutes::logout).
pub const LOGOUT: &str = "/logout";

/// The path to which the provider sends the browser back after a sign-out. At the provider, register the URL of this
/// path as `post_logout_redirect_uri`, and pass the same URL to
/// [`ClientRegistration::post_logout_redirect_uri`](crate::ClientRegistration::post_logout_redirect_uri). The handler
/// is [`SignOutRoutes::post_logout_redirect`](crate::SignOutRoutes::post_logout_redirect).
pub const POST_LOGOUT_REDIRECT: &str = "/signed-out";

/// The path to which providers send logout tokens. At the provider, register the URL of this path as
/// `backchannel_logout_uri`. The handler is
/// [`SignOutRoutes::back_channel_logout`](crate::SignOutRoutes::back_channel_logout).
pub const BACK_CHANNEL_LOGOUT: &str = "/backchannel-logout";

/// The path that providers load in an iframe of their logout page. At the provider, register the URL of this path as
/// `frontchannel_logout_uri`. The handler is
/// [`SignOutRoutes::front_channel_logout`](crate::SignOutRoutes::front_channel_logout).
pub const FRONT_CHANNEL_LOGOUT: &str = "/frontchannel-logout";

/// The path to which providers push security events (RFC 8935). At the provider, register the URL of this path as the
/// endpoint of the event stream. The handler is
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
