use std::time::Duration;

use super::{boot_time::BootInstant, lease::with_drift};
use crate::{Acknowledgement, InvalidationId, LeaseHolder, Published, RegistryId, ServerId};

/// What a sign-out waits for after its invalidation message: each server that held a lease has dropped its copies, or its lease has run out.
/// It does no I/O.
///
/// The registry may be young, after a failover say: a lease that was given before may not be in it. It is taken for whole when
/// this server, or one that acknowledged, has known it for longer than any lease; otherwise the longest lease is waited out.
#[derive(Debug, Clone)]
pub struct AckWait {
    message: InvalidationId,
    registry: Option<RegistryId>,
    whole: bool,
    silent: Vec<LeaseHolder>,
    over_at: BootInstant,
}

impl AckWait {
    /// What to wait for. `own` has dropped its copies already; `knows` is [`NearCacheLease::knows`](super::NearCacheLease::knows) of this server, asked after the
    /// answer was `received`.
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
        holders.retain(|own_lease| own_lease.server != own);
        Self {
            message: id,
            registry,
            whole: registry.is_some() && registry == knows,
            silent: holders,
            over_at: received + with_drift(longest_lease),
        }
    }

    /// A server has answered.
    pub fn acknowledged(&mut self, acknowledgement: &Acknowledgement) {
        if acknowledgement.message != self.message {
            return;
        }
        self.whole |= self.registry.is_some() && self.registry == acknowledgement.knows;
        self.silent
            .retain(|own_lease| own_lease.server != acknowledgement.server);
    }

    /// Whether no server can serve what was signed out any more.
    pub fn is_over(&self, now: BootInstant) -> bool {
        (self.whole && self.silent.is_empty()) || now >= self.over_at
    }

    /// Whether every lease that runs is known to be in the registry; else the longest lease is waited out.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// When it is over at the latest: every lease that was given before the invalidation message has run out.
    pub fn over_at(&self) -> BootInstant {
        self.over_at
    }

    /// Who has not answered.
    pub fn silent(&self) -> &[LeaseHolder] {
        &self.silent
    }

    /// The invalidation message that it is about.
    pub fn message(&self) -> InvalidationId {
        self.message
    }
}
