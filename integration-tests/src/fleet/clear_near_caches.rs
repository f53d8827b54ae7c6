use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a sign-out said of other servers' copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the driver and its app servers are one program"
)]
pub enum NearCacheOutcome {
    /// No server keeps any.
    Unused,
    /// None can be served any more.
    Cleared {
        /// How many servers held a lease.
        servers: usize,
        /// How many of them did not answer.
        silent: usize,
        /// How long it waited.
        waited: Duration,
    },
    /// It did not wait.
    NotAwaited {
        /// For how long copies may be served yet.
        cleared_within: Duration,
    },
    /// Something that this harness does not know.
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
