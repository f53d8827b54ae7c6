use std::time::Duration;

use super::{boot_time::BootInstant, lease::with_drift};
use crate::{Acknowledgement, InvalidationId, LeaseHolder, Published, RegistryId, ServerId};

/// The wait of a sign-out for the acknowledgements of its invalidation message, as a state machine that does no I/O.
///
/// The wait ends when each server with a lease has dropped its near-cache entries, or when every lease has expired. Then no server can
/// serve the ended sessions (G1).
///
/// The registry of near-cache leases may be new, for example after a failover. Then it may lack a lease that was granted before. The
/// registry counts as complete if this server, or a server that acknowledged, has known it for longer than any lease lasts. Otherwise the
/// sign-out waits for the longest lease.
#[derive(Debug, Clone)]
pub struct AckWait {
    message: InvalidationId,
    registry: Option<RegistryId>,
    whole: bool,
    silent: Vec<LeaseHolder>,
    over_at: BootInstant,
}

impl AckWait {
    /// Starts the wait for the servers in [`Published::holders`], except `own`. The server `own` is the one that signs out, and has dropped
    /// its entries already.
    ///
    /// `knows` is the result of [`NearCacheLease::knows`](super::NearCacheLease::knows) on this server, called after `received`. `received`
    /// is the time when the store's answer `published` was received. `longest_lease` is the longest lease of any server.
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

    /// Records the acknowledgement of a server, so that the wait continues for the other servers only. Ignores acknowledgements of other
    /// messages.
    pub fn acknowledged(&mut self, acknowledgement: &Acknowledgement) {
        if acknowledgement.message != self.message {
            return;
        }
        self.whole |= self.registry.is_some() && self.registry == acknowledgement.knows;
        self.silent
            .retain(|holder| holder.server != acknowledgement.server);
    }

    /// Returns `true` if the wait has ended at `now`: no server can serve the ended sessions from its near cache any more.
    pub fn is_over(&self, now: BootInstant) -> bool {
        (self.whole && self.silent.is_empty()) || now >= self.over_at
    }

    /// Returns `true` if the registry is known to contain every running lease. Otherwise acknowledgements do not end the wait: it lasts
    /// until [`over_at`](Self::over_at).
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Returns when the wait ends without acknowledgements. By then every lease that was granted before the invalidation message has
    /// expired.
    pub fn over_at(&self) -> BootInstant {
        self.over_at
    }

    /// Returns the servers that have not acknowledged yet. When the wait is over, pass them to
    /// [`BackplaneConnection::reap`](crate::BackplaneConnection::reap), which removes them from the registry.
    pub fn silent(&self) -> &[LeaseHolder] {
        &self.silent
    }

    /// Returns the id of the invalidation message that is waited for.
    pub fn message(&self) -> InvalidationId {
        self.message
    }
}
