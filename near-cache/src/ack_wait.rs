use std::time::Duration;

use token_cache_core::{
    Acknowledgement, InvalidationId, LeaseHolder, Published, RegistryId, ServerId,
    near_cache::{BootInstant, with_drift},
};

/// The wait of a sign-out until the other app servers have acknowledged its invalidation message, as a state machine that does no I/O.
///
/// Apps do not need it. The server that signs out creates it with [`new`](Self::new), and passes each acknowledgement to
/// [`acknowledged`](Self::acknowledged) until [`is_over`](Self::is_over) returns `true`. Then no server can serve the ended sessions (G1):
/// each server with a lease has dropped its near-cache entries, or every lease has expired.
///
/// The store reads the servers with a lease from the [registry of near-cache leases](RegistryId), a list in the store. After a failover of
/// the store, the registry may be new, and may lack a lease that still runs. The registry counts as complete if this server, or a server
/// that acknowledged, has known it for longer than any lease lasts. If it does not count as complete, the wait lasts for the longest lease.
#[derive(Debug, Clone)]
pub struct AckWait {
    message: InvalidationId,
    registry: Option<RegistryId>,
    whole: bool,
    silent: Vec<LeaseHolder>,
    over_at: BootInstant,
}

impl AckWait {
    /// Starts the wait for the acknowledgements of a published invalidation message.
    ///
    /// - `published` is the store's answer when it published the message. The wait is for the servers in its
    ///   [`holders`](Published::holders), except `own`.
    /// - `own` is the server that signs out. It must have dropped its own near-cache entries of the ended sessions already, because the
    ///   wait does not include it.
    /// - `knows` is the result of [`NearCacheLease::knows`](super::NearCacheLease::knows) on this server, called after `received`.
    /// - `longest_lease` is the longest lease of any server.
    /// - `received` is the time at which this server received `published`.
    pub fn new(
        published: Published,
        own: ServerId,
        knows: Option<RegistryId>,
        longest_lease: Duration,
        received: BootInstant,
    ) -> Self {
        let Published {
            id,
            registry,
            mut holders,
        } = published;
        holders.retain(|holder| holder.server != own);
        Self {
            message: id,
            registry,
            whole: registry.is_some() && registry == knows,
            silent: holders,
            over_at: received + with_drift(longest_lease),
        }
    }

    /// Records that a server has acknowledged the invalidation message of this wait, so that the wait continues only for the other servers.
    /// An acknowledgement of another message is ignored.
    pub fn acknowledged(&mut self, acknowledgement: &Acknowledgement) {
        if acknowledgement.message != self.message {
            return;
        }
        self.whole |= self.registry.is_some() && self.registry == acknowledgement.knows;
        self.silent
            .retain(|holder| holder.server != acknowledgement.server);
    }

    /// Returns `true` if the wait has ended at `now`: no other server can serve the ended sessions from its near cache any more. Returns
    /// `false` while the sign-out must wait for an acknowledgement or until [`over_at`](Self::over_at).
    pub fn is_over(&self, now: BootInstant) -> bool {
        (self.whole && self.silent.is_empty()) || now >= self.over_at
    }

    /// Returns `true` if the [registry of near-cache leases](RegistryId) is known to contain every lease that runs. A sign-out then waits
    /// until all other servers have acknowledged its invalidation message, and at most until [`over_at`](Self::over_at). If it is `false`,
    /// the sign-out always waits until `over_at`.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Returns the time at which the wait ends even without acknowledgements. It is the longest lease, plus 2% of it and 5 ms, after this
    /// server received the store's answer to the published invalidation message. Every lease that was granted before the message has
    /// expired by then.
    pub fn over_at(&self) -> BootInstant {
        self.over_at
    }

    /// Returns the servers that have not acknowledged the invalidation message yet. When the wait is over, a
    /// [`TokenCache`](token_cache_core::TokenCache) passes them to [`BackplaneConnection::reap`](token_cache_core::BackplaneConnection::reap). It removes them
    /// from the [registry of near-cache leases](RegistryId), so that later sign-outs do not wait for them.
    pub fn silent(&self) -> &[LeaseHolder] {
        &self.silent
    }

    /// Returns the id of the invalidation message for whose acknowledgements the sign-out waits.
    pub fn message(&self) -> InvalidationId {
        self.message
    }
}
