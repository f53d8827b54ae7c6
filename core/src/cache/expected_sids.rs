use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::telemetry::warn;

/// The issuers whose ID tokens should have a `sid`, each with a flag that a sign-in without one has been logged.
#[derive(Debug, Default)]
pub(super) struct ExpectedSids(Mutex<HashMap<String, bool>>);

impl ExpectedSids {
    pub(super) fn add(&self, issuer: &str) {
        let mut issuers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        issuers.entry(issuer.to_owned()).or_default();
    }

    /// Logs, once for each issuer, a session that begins without a `sid`.
    pub(super) fn missing_at(&self, issuer: &str) {
        let mut issuers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(is_logged) = issuers.get_mut(issuer) else {
            return;
        };
        if !std::mem::replace(is_logged, true) {
            warn(
                "sign_in_without_sid",
                format_args!(
                    "a session began without a `sid`, and the app expects one from {issuer:?} because its logout messages name it: a \
                     message that names only a `sid` does not end this session. Read the claims of the ID token with \
                     `token_cache::providers::SessionClaims`, or have the provider put `sid` into its ID tokens"
                ),
            );
        }
    }
}
