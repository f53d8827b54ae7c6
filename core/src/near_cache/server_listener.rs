use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{
    BootTime, NearCacheLease, acknowledgements::Acknowledgements, fleet_config::FleetConfig,
};
use crate::{
    Acknowledgement, Invalidation, InvalidationListener, InvalidationMessage, RegistryId, ServerId,
};

/// Takes copies away.
pub(crate) type Forget = Box<dyn Fn(&Invalidation) + Send + Sync>;

/// What hears this server's backplane connection. The store keeps it for as long as the backplane is open, so it keeps no store.
pub(super) struct ServerListener {
    pub(super) server: ServerId,
    pub(super) own_lease: Arc<NearCacheLease>,
    pub(super) forget: Option<Forget>,
    pub(super) acknowledgements: Arc<Acknowledgements>,
    pub(super) config: watch::Receiver<FleetConfig>,
    pub(super) clock: Arc<dyn BootTime>,
}

impl ServerListener {
    /// Has this server's own copies go.
    pub(super) fn drop_cached_reads(&self, what: &Invalidation) {
        self.own_lease.invalidate(what);
        if let Some(forget) = &self.forget {
            forget(what);
        }
    }

    /// The longest life of a copy of any server, as this one knows it.
    pub(super) fn longest_near_cache_life(&self) -> Duration {
        self.config.borrow().longest
    }

    /// The registry that this server has known for longer than any lease: none where it can't be sure how long leases are.
    fn knows(&self) -> Option<RegistryId> {
        let config = *self.config.borrow();
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
        // Who signs out drops its own copies by itself, and who keeps none is in no registry.
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
        f.debug_struct("Ears")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
