use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a sign-out reported of other servers' near caches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the driver and its app servers are one program"
)]
pub enum NearCacheOutcome {
    /// No server has one.
    Unused,
    /// No near-cache entry can be served any more.
    Cleared {
        /// Number of servers that had a lease.
        servers: usize,
        /// Number of servers that did not acknowledge.
        silent: usize,
        /// How long it waited.
        waited: Duration,
    },
    /// It did not wait.
    NotAwaited {
        /// The maximum time for which near-cache entries may still be served.
        cleared_within: Duration,
    },
    /// An outcome that this harness does not know.
    Other,
}

impl From<token_cache::near_cache::NearCacheOutcome> for NearCacheOutcome {
    fn from(near_caches: token_cache::near_cache::NearCacheOutcome) -> Self {
        match near_caches {
            token_cache::near_cache::NearCacheOutcome::Unused => Self::Unused,
            token_cache::near_cache::NearCacheOutcome::Cleared {
                servers,
                silent,
                waited,
                ..
            } => Self::Cleared {
                servers: servers.len(),
                silent: silent.len(),
                waited,
            },
            token_cache::near_cache::NearCacheOutcome::NotAwaited { cleared_within, .. } => {
                Self::NotAwaited { cleared_within }
            }
            _ => Self::Other,
        }
    }
}
