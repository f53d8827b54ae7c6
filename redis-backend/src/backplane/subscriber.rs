use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use token_cache_core::{
    Acknowledgement, Invalidation, InvalidationId, InvalidationListener, InvalidationMessage,
    ServerId,
};
use tokio::sync::{mpsc, oneshot};

use super::message::{self, Barrier, Message};
use crate::client::ListensTo;

/// An acknowledgement on its way, and who waits for it.
pub(super) type PendingAcks = (ServerId, Acknowledgement);

/// Tells a listener what comes over the backplane.
pub(super) struct Subscriber {
    pub(super) messages: Vec<u8>,
    pub(super) listener: Arc<dyn InvalidationListener>,
    pub(super) pending_acks: mpsc::Sender<PendingAcks>,
    pub(super) barriers: Arc<Barriers>,
}

/// The markers that renewals under way wait for.
#[derive(Default)]
pub(super) struct Barriers(Mutex<HashMap<Barrier, oneshot::Sender<()>>>);

impl ListensTo for Subscriber {
    fn heard(&self, channel: &[u8], message: &[u8]) -> bool {
        let message = message::decode(message);
        if channel == self.messages {
            return match message {
                Some(Message::InvalidationMessage(message)) => self.published(&message),
                // It may announce anything, in words of a later release. Nobody is answered: whoever waits, waits a lease.
                _ => self.published(&InvalidationMessage {
                    id: InvalidationId::from_bytes([0; 16]),
                    origin: None,
                    what: Invalidation::Everything,
                }),
            };
        }
        match message {
            Some(Message::Acknowledgement(acknowledgement)) => {
                self.listener.acknowledged(&acknowledgement);
            }
            Some(Message::Barrier(barrier)) => self.barriers.heard(&barrier),
            Some(Message::InvalidationMessage(_)) | None => {}
        }
        true
    }
}

impl Subscriber {
    /// A link that can't say so any more is given up: silence is safe, and later acknowledgements may still get through on another.
    fn published(&self, message: &InvalidationMessage) -> bool {
        let acknowledgement = self.listener.published(message);
        match (message.origin, acknowledgement) {
            (Some(origin), Some(acknowledgement)) => self
                .pending_acks
                .try_send((origin, acknowledgement))
                .is_ok(),
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
