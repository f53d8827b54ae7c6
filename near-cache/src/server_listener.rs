use std::{fmt, sync::Arc, time::Duration};

use token_cache_core::{
    Acknowledgement, Invalidation, InvalidationListener, InvalidationMessage, RegistryId, ServerId,
    near_cache::{BootTime, FleetConfigWatch},
};

use crate::{acknowledgements::Acknowledgements, lease::NearCacheLease};

/// A function that removes near-cache entries.
pub(crate) type Forget = Box<dyn Fn(&Invalidation) + Send + Sync>;

/// The listener of this server's backplane connection. The store owns it while the connection is open, so it must not own the store.
pub(super) struct ServerListener {
    pub(super) server: ServerId,
    pub(super) own_lease: Arc<NearCacheLease>,
    pub(super) forget: Option<Forget>,
    pub(super) acknowledgements: Arc<Acknowledgements>,
    pub(super) config: FleetConfigWatch,
    pub(super) clock: Arc<dyn BootTime>,
}

impl ServerListener {
    /// Drops this server's own near-cache entries.
    pub(super) fn drop_cached_reads(&self, what: &Invalidation) {
        self.own_lease.invalidate(what);
        if let Some(forget) = &self.forget {
            forget(what);
        }
    }

    /// Returns the longest life of a near-cache entry on any server, as this server knows it.
    pub(super) fn longest_near_cache_life(&self) -> Duration {
        self.config.get().longest
    }

    /// Returns the registry that this server has known for longer than any lease. Returns `None` if its knowledge of the longest lease is
    /// stale.
    fn knows(&self) -> Option<RegistryId> {
        let config = self.config.get();
        let now = self.clock.now();
        config
            .is_fresh(now)
            .then(|| self.own_lease.knows(config.longest, now))
            .flatten()
    }
}

impl InvalidationListener for ServerListener {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        self.drop_cached_reads(&message.what);
        // The origin has dropped its own entries already. A server without a near cache is in no registry.
        let is_awaited = message.origin? != self.server && self.forget.is_some();
        is_awaited.then(|| Acknowledgement {
            message: message.id,
            server: self.server,
            knows: self.knows(),
        })
    }

    fn acknowledged(&self, acknowledgement: &Acknowledgement) {
        self.acknowledgements.hear(*acknowledgement);
    }
}

impl fmt::Debug for ServerListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerListener")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
