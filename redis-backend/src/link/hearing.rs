use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use token_cache_core::{
    Acknowledgement, Announcement, AnnouncementId, Invalidation, Listener, ServerId,
};
use tokio::sync::{mpsc, oneshot};

use super::message::{self, Barrier, Message};
use crate::client::Hears;

/// An acknowledgement on its way, and who waits for it.
pub(super) type Owed = (ServerId, Acknowledgement);

/// Tells a listener what comes over the link.
pub(super) struct Hearing {
    pub(super) announcements: Vec<u8>,
    pub(super) listener: Arc<dyn Listener>,
    pub(super) owed: mpsc::Sender<Owed>,
    pub(super) barriers: Arc<Barriers>,
}

/// The markers that renewals under way wait for.
#[derive(Default)]
pub(super) struct Barriers(Mutex<HashMap<Barrier, oneshot::Sender<()>>>);

impl Hears for Hearing {
    fn heard(&self, channel: &[u8], message: &[u8]) -> bool {
        let message = message::decode(message);
        if channel == self.announcements {
            return match message {
                Some(Message::Announcement(announcement)) => self.announced(&announcement),
                // It may announce anything, in words of a later release. Nobody is answered: whoever waits, waits a lease.
                _ => self.announced(&Announcement {
                    id: AnnouncementId::from_bytes([0; 16]),
                    signer: None,
                    what: Invalidation::Everything,
                }),
            };
        }
        match message {
            Some(Message::Acknowledgement(acknowledgement)) => {
                self.listener.acknowledged(&acknowledgement);
            }
            Some(Message::Barrier(barrier)) => self.barriers.heard(&barrier),
            Some(Message::Announcement(_)) | None => {}
        }
        true
    }
}

impl Hearing {
    /// A link that can't say so any more is given up: silence is safe, and later acknowledgements may still get through on another.
    fn announced(&self, announcement: &Announcement) -> bool {
        let acknowledgement = self.listener.announced(announcement);
        match (announcement.signer, acknowledgement) {
            (Some(signer), Some(acknowledgement)) => {
                self.owed.try_send((signer, acknowledgement)).is_ok()
            }
            _ => true,
        }
    }
}

impl Barriers {
    /// Resolves when the marker is heard.
    pub(super) fn expect(&self, barrier: Barrier) -> oneshot::Receiver<()> {
        let (heard, hearing) = oneshot::channel();
        let mut expected = self.expected();
        // Those of renewals that were given up.
        expected.retain(|_, heard| !heard.is_closed());
        expected.insert(barrier, heard);
        hearing
    }

    fn heard(&self, barrier: &Barrier) {
        if let Some(heard) = self.expected().remove(barrier) {
            // Who waited may have given up.
            let _ = heard.send(());
        }
    }

    fn expected(&self) -> MutexGuard<'_, HashMap<Barrier, oneshot::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
