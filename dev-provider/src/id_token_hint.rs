use serde::Deserialize;

use super::shared::Shared;

/// The session that an ID token was issued in. The token may have expired, since it is only a hint.
#[derive(Deserialize)]
pub(super) struct IdTokenHint {
    iss: String,
    pub(super) sub: String,
    pub(super) aud: String,
    pub(super) sid: String,
}

impl IdTokenHint {
    /// Returns `None` if the text is not an ID token of this provider.
    pub(super) fn open(shared: &Shared, token: &str) -> Option<Self> {
        let hint: Option<Self> = shared.key.open("JWT", token);
        hint.filter(|hint| hint.iss == shared.issuer)
    }
}
