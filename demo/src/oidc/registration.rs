use std::fmt;

use serde::{Deserialize, Serialize};

/// How an app is registered at its provider.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registration {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
    /// Error codes by which this provider says that a refresh token is dead, besides `invalid_grant`.
    pub(crate) dead_grant_codes: Vec<String>,
    /// `true` to ask for `offline_access` if the provider offers it. Keycloak's logout does not end the session of such a refresh token.
    pub(crate) asks_for_offline_access: bool,
}

/// Prints no secret.
impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
