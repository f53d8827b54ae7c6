//! Where the routes are mounted: what an app registers at its providers.

/// The app's own sign-out.
pub const LOG_OUT: &str = "/logout";

/// Where a provider sends the browser back to: the path of every `post_logout_redirect_uri`.
pub const SIGNED_OUT: &str = "/signed-out";

/// The `backchannel_logout_uri`.
pub const BACK_CHANNEL: &str = "/backchannel-logout";

/// The `frontchannel_logout_uri`.
pub const FRONT_CHANNEL: &str = "/frontchannel-logout";

/// Where a transmitter of security events pushes them to.
pub const SECURITY_EVENTS: &str = "/security-events";

/// All of them.
pub(crate) const ALL: [&str; 5] = [
    LOG_OUT,
    SIGNED_OUT,
    BACK_CHANNEL,
    FRONT_CHANNEL,
    SECURITY_EVENTS,
];
