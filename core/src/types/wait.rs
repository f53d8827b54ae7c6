use std::{collections::BTreeSet, time::Duration};

use crate::ServerId;

/// The choice whether a sign-out waits for the near caches of other app servers, for
/// [`TokenCache::sign_out_with`](crate::TokenCache::sign_out_with). By default, it waits.
///
/// If no app server has a [near cache](crate::TokenCacheBuilder::near_cache), a sign-out waits with neither variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Wait {
    /// Waits until no app server can serve a near-cache entry of the ended sessions. The sign-out is then final when it returns (G1). Each
    /// app server has confirmed that it dropped these entries, or its lease has expired: its right to serve near-cache entries.
    ///
    /// The sign-out usually waits for one message round trip. It never waits longer than
    /// [`longest_near_cache_life`](crate::TokenCache::longest_near_cache_life) plus 2% and 5 ms. It waits for this maximum in these cases:
    /// - An app server stopped without releasing its lease. The next sign-out waits for it, and later ones do not.
    /// - The store's list of near-cache leases may be incomplete, for example after a failover of the store.
    /// - The store has no [`Backplane`](crate::Backplane). Then every sign-out waits for the maximum.
    #[default]
    Everywhere,
    /// Does not wait for other app servers. The sign-out returns when the store has ended the sessions and, if it has a
    /// [`Backplane`](crate::Backplane), has sent the other app servers an invalidation message.
    ///
    /// **The sign-out is not final when it returns.** An app server that has not received the message may serve near-cache entries for a
    /// while. [`NearCacheOutcome::NotAwaited`] says for how long.
    None,
}

/// The result of a sign-out for the near caches of other app servers, in [`SignOut::near_caches`](crate::SignOut::near_caches).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum NearCacheOutcome {
    /// The sign-out did not have to wait for near caches. Either no app server has a near cache, or the sign-out found no account whose
    /// entries a near cache could have.
    #[default]
    Unused,
    /// The sign-out has waited for near caches. No app server can serve a near-cache entry of the ended sessions any more.
    Cleared {
        /// The other app servers that could serve near-cache entries because they had a lease, in order of their ids.
        /// [`TokenCache::server_id`](crate::TokenCache::server_id) returns the id of an app server.
        ///
        /// Empty if there was no such server. Also empty if the store has no backplane: the sign-out then waited for the maximum age of
        /// near-cache entries.
        servers: Vec<ServerId>,
        /// The app servers in `servers` that did not acknowledge the sign-out's [invalidation message](crate::InvalidationMessage). Empty
        /// if all of them did. The sign-out waited until their leases had expired. Later sign-outs do not wait for such a server, unless it
        /// takes a lease again.
        silent: Vec<ServerId>,
        /// How long the sign-out waited for near caches.
        waited: Duration,
    },
    /// The sign-out was called with [`Wait::None`], and did not wait for other app servers. It is final after
    /// `cleared_within`.
    NotAwaited {
        /// The longest time, from the return of the sign-out, for which an app server may still serve near-cache entries of the ended
        /// sessions. After this time, the sign-out is final.
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
