use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::{EntryValue, Timestamp, telemetry::warn};

/// How far the time that an app stamps its tokens with may be ahead of the store's clock.
const MOST_STAMP_AHEAD: Duration = Duration::from_secs(30);

/// What is logged of tokens that an app puts: each once for a cache, since every sign-in would repeat it.
#[derive(Debug, Default)]
pub(super) struct TokenWarnings {
    without_refresh_token: AtomicBool,
    other_clock: AtomicBool,
}

impl TokenWarnings {
    /// Looks at a value that is put at `now` on the store's clock.
    pub(super) fn check(&self, value: &EntryValue, now: Timestamp) {
        if value.useful_until.is_some() && first(&self.without_refresh_token) {
            warn(
                "tokens_without_refresh_token",
                format_args!(
                    "tokens were put that expire and have no refresh token, so reads fail after that until the user signs in again. \
                     If the provider should give one, ask for the scope `offline_access` with `prompt=consent` (OpenID Connect \
                     Core 1.0 section 11), and check the client's grant types there"
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
                     expired. Give `TokenSet::from_response` the time of `TokenCache::now`, not the one of this machine"
                ),
            );
        }
    }
}

fn first(logged: &AtomicBool) -> bool {
    !logged.swap(true, Ordering::Relaxed)
}
