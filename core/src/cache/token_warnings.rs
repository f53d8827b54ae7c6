use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::{EntryValue, Timestamp, telemetry::warn};

/// How far the issue time that an app gives its tokens may be ahead of the store's clock.
const MOST_STAMP_AHEAD: Duration = Duration::from_secs(30);

/// The warnings about tokens that an app puts. Each is logged once for a cache, since every sign-in would repeat it.
#[derive(Debug, Default)]
pub(super) struct TokenWarnings {
    without_refresh_token: AtomicBool,
    other_clock: AtomicBool,
}

impl TokenWarnings {
    /// Logs the warnings for a value that is put at `now` on the store's clock.
    pub(super) fn check(&self, value: &EntryValue, now: Timestamp) {
        if value.useful_until.is_some() && first(&self.without_refresh_token) {
            warn(
                "tokens_without_refresh_token",
                format_args!(
                    "tokens were put that expire and have no refresh token, so reads fail after that until the user signs in again. \
                     If the provider should return one, request the scope `offline_access` with `prompt=consent` (OpenID Connect \
                     Core 1.0 section 11), and check the client's grant types at the provider"
                ),
            );
        }
        if value
            .issued_at
            .is_some_and(|at| at > now + MOST_STAMP_AHEAD)
            && first(&self.other_clock)
        {
            warn(
                "tokens_of_another_clock",
                format_args!(
                    "tokens were put that were issued in the future of the store's clock, so they count as fresh after they have \
                     expired. Give `TokenSet::from_response` the time of `TokenCache::now`, not this machine's time"
                ),
            );
        }
    }
}

fn first(logged: &AtomicBool) -> bool {
    !logged.swap(true, Ordering::Relaxed)
}
