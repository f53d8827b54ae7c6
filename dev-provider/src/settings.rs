use std::time::Duration;

/// How a development provider behaves where providers differ.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long an access token lives: 5 minutes, unless set.
    pub access_token_lifetime: Duration,
    /// `true` if a user who authenticates again in the same browser keeps the `sid`, as at Keycloak. By default it is `false`.
    pub keeps_sid: bool,
    /// How long a client may take to answer a logout token: 2.5 seconds, unless set.
    pub back_channel_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_token_lifetime: Duration::from_secs(5 * 60),
            keeps_sid: false,
            back_channel_timeout: Duration::from_millis(2500),
        }
    }
}
