use std::{collections::BTreeSet, time::Duration};

use crate::ServerId;

/// Whether a sign-out waits until no server can serve a near-cache entry of what it ended.
///
/// Where no server keeps near caches there is nothing to wait for, and both are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Wait {
    /// It returns when no read that starts afterwards, on any server, is served from a copy (G1): each server has said that its
    /// copies are gone, or its lease has run out.
    ///
    /// That takes a message there and back, and at most
    /// [`longest_near_cache_life`](crate::TokenCache::longest_near_cache_life) and a fiftieth of it: once for a server that died without a word, and always where the
    /// store has no [`Backplane`](crate::Backplane).
    #[default]
    Everywhere,
    /// It returns when the store has ended the sessions and told the other servers. One that did not hear of it may serve copies
    /// for as long as [`NearCacheOutcome::NotAwaited`] says: **the sign-out is not final when it returns**.
    None,
}

/// What a sign-out knows of other servers' near caches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum NearCacheOutcome {
    /// No server keeps any; or the sign-out reached no account that there could be some of, as by a `sid` that nobody signed in under, on a
    /// store without a backplane.
    #[default]
    Unused,
    /// No copy of what was ended can be served any more, on any server.
    Cleared {
        /// The other servers that held a lease, each by its [`TokenCache::server_id`](crate::TokenCache::server_id), in order. None
        /// are known where the store has no backplane, and the greatest age was waited out.
        servers: Vec<ServerId>,
        /// Those of them that did not answer: they were waited for until their lease ran out, and are waited for no more unless
        /// they come back.
        silent: Vec<ServerId>,
        /// How long that took.
        waited: Duration,
    },
    /// They were told, and not waited for: [`Wait::None`].
    NotAwaited {
        /// How long a server that was not reached may go on serving copies, from when the sign-out returned.
        cleared_within: Duration,
    },
}

impl NearCacheOutcome {
    /// What is known after two sign-outs, one after the other.
    pub(crate) fn and(self, next: Self) -> Self {
        match (self, next) {
            (Self::Unused, known) | (known, Self::Unused) => known,
            (not_awaited @ Self::NotAwaited { .. }, _)
            | (_, not_awaited @ Self::NotAwaited { .. }) => not_awaited,
            (
                Self::Cleared {
                    servers,
                    silent,
                    waited,
                },
                Self::Cleared {
                    servers: others,
                    silent: more,
                    waited: longer,
                },
            ) => Self::Cleared {
                servers: distinct(servers.into_iter().chain(others)),
                silent: distinct(silent.into_iter().chain(more)),
                waited: waited + longer,
            },
        }
    }
}

/// Each of these once, in order.
pub(crate) fn distinct(servers: impl Iterator<Item = ServerId>) -> Vec<ServerId> {
    servers.collect::<BTreeSet<_>>().into_iter().collect()
}
