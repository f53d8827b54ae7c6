use serde::Deserialize;

use super::shared::Shared;

/// What an ID token says of the session it was issued in. It may have expired: it is a hint.
#[derive(Deserialize)]
pub(super) struct IdTokenHint {
    iss: String,
    pub(super) sub: String,
    pub(super) aud: String,
    pub(super) sid: String,
}

impl IdTokenHint {
    /// None for what is no ID token of this provider.
    pub(super) fn open(shared: &Shared, token: &str) -> Option<Self> {
        let hint: Option<Self> = shared.key.open("JWT", token);
        hint.filter(|hint| hint.iss == shared.issuer)
    }
}
