use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a sign-out said of other servers' copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the driver and its app servers are one program"
)]
pub enum CopiesGone {
    /// No server keeps any.
    NoneKept,
    /// None can be served any more.
    Gone {
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
        gone_within: Duration,
    },
    /// Something that this harness does not know.
    Other,
}

impl From<token_cache::CopiesGone> for CopiesGone {
    fn from(copies: token_cache::CopiesGone) -> Self {
        match copies {
            token_cache::CopiesGone::NoneKept => Self::NoneKept,
            token_cache::CopiesGone::Gone {
                servers,
                silent,
                waited,
                ..
            } => Self::Gone {
                servers: servers.len(),
                silent: silent.len(),
                waited,
            },
            token_cache::CopiesGone::NotAwaited { gone_within, .. } => {
                Self::NotAwaited { gone_within }
            }
            _ => Self::Other,
        }
    }
}
