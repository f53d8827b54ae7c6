use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{BootTime, Holder, acknowledgements::Acknowledgements, terms::Terms};
use crate::{Acknowledgement, Announcement, Invalidation, Listener, RegistryId, ServerId};

/// Takes copies away.
pub(crate) type Forget = Box<dyn Fn(&Invalidation) + Send + Sync>;

/// What hears this server's link. The store keeps it for as long as the link is open, so it keeps no store.
pub(super) struct Ears {
    pub(super) server: ServerId,
    pub(super) holder: Arc<Holder>,
    pub(super) forget: Option<Forget>,
    pub(super) acknowledgements: Arc<Acknowledgements>,
    pub(super) terms: watch::Receiver<Terms>,
    pub(super) clock: Arc<dyn BootTime>,
}

impl Ears {
    /// Has this server's own copies go.
    pub(super) fn drop_copies(&self, what: &Invalidation) {
        self.holder.invalidate(what);
        if let Some(forget) = &self.forget {
            forget(what);
        }
    }

    /// The longest life of a copy of any server, as this one knows it.
    pub(super) fn longest_copy_life(&self) -> Duration {
        self.terms.borrow().longest
    }

    /// The registry that this server has known for longer than any lease: none where it can't be sure how long leases are.
    fn knows(&self) -> Option<RegistryId> {
        let terms = *self.terms.borrow();
        let now = self.clock.now();
        terms
            .is_fresh(now)
            .then(|| self.holder.knows(terms.longest, now))
            .flatten()
    }
}

impl Listener for Ears {
    fn announced(&self, announcement: &Announcement) -> Option<Acknowledgement> {
        self.drop_copies(&announcement.what);
        // Who signs out drops its own copies by itself, and who keeps none is in no registry.
        let is_awaited = announcement.signer? != self.server && self.forget.is_some();
        is_awaited.then(|| Acknowledgement {
            announcement: announcement.id,
            server: self.server,
            knows: self.knows(),
        })
    }

    fn acknowledged(&self, acknowledgement: &Acknowledgement) {
        self.acknowledgements.hear(*acknowledgement);
    }
}

impl fmt::Debug for Ears {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ears")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
