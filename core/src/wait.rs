use std::{collections::BTreeSet, time::Duration};

use crate::ServerId;

/// The choice whether a sign-out waits for the near caches of other app servers, for
/// [`TokenCache::sign_out_with`](crate::TokenCache::sign_out_with). By default, it waits.
///
/// If no app server has a [near cache](crate::TokenCacheBuilder::near_cache), both variants are the same, and a sign-out does not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Wait {
    /// Waits until no app server can serve a near-cache entry of the ended sessions. So the sign-out is final when it returns (G1). Each
    /// server has then acknowledged that it dropped these entries, or its lease has expired.
    ///
    /// The wait is usually one message round trip, and never longer than
    /// [`longest_near_cache_life`](crate::TokenCache::longest_near_cache_life) plus 2% and 5 ms. It takes this maximum in these cases:
    /// - An app server stopped without releasing its lease. This happens once for each such server.
    /// - The registry of near-cache leases may lack a lease, for example after a failover of the store.
    /// - The store has no [`Backplane`](crate::Backplane). Then every sign-out takes it.
    #[default]
    Everywhere,
    /// Returns when the store has ended the sessions and, if it has a backplane, has sent the other servers an invalidation message. A
    /// server that has not received it may serve near-cache entries for the time in [`NearCacheOutcome::NotAwaited`]: **the sign-out is
    /// not final when it returns**.
    None,
}

/// The outcome of a sign-out for the near caches of other app servers, in [`SignOut::near_caches`](crate::SignOut::near_caches).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum NearCacheOutcome {
    /// The sign-out waited for no near cache: no app server has one, or the sign-out reached no account that a near cache could contain. An
    /// example of the latter is a `sid` without any session, on a store without a backplane.
    #[default]
    Unused,
    /// No app server can serve a near-cache entry of the ended sessions any more: the sign-out has waited.
    Cleared {
        /// The other app servers that had a lease, the right to serve near-cache entries, as their
        /// [`TokenCache::server_id`](crate::TokenCache::server_id), in order. Empty if the store has no backplane: then the sign-out
        /// waited for the maximum age of entries.
        servers: Vec<ServerId>,
        /// The servers in `servers` that did not acknowledge. The sign-out waited until their lease had expired. Later sign-outs do not
        /// wait for such a server, unless it takes a lease again.
        silent: Vec<ServerId>,
        /// How long the sign-out waited.
        waited: Duration,
    },
    /// The sign-out was called with [`Wait::None`], and did not wait for other servers.
    NotAwaited {
        /// How long a server that has not received the invalidation message may still serve near-cache entries of the ended sessions,
        /// from when the sign-out returned.
        cleared_within: Duration,
    },
}

impl NearCacheOutcome {
    /// Returns the combined outcome of two sign-outs, one after the other.
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

/// Returns the servers without duplicates, in order.
pub(crate) fn distinct(servers: impl Iterator<Item = ServerId>) -> Vec<ServerId> {
    servers.collect::<BTreeSet<_>>().into_iter().collect()
}
