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
use crate::client::MessageHandler;

/// A pending acknowledgement, with the server that waits for it.
pub(super) type PendingAck = (ServerId, Acknowledgement);

/// Passes the messages of the backplane to a listener.
pub(super) struct Subscriber {
    pub(super) messages: Vec<u8>,
    pub(super) listener: Arc<dyn InvalidationListener>,
    pub(super) pending_acks: mpsc::Sender<PendingAck>,
    pub(super) barriers: Arc<Barriers>,
}

/// The barriers that current renewals wait for.
#[derive(Default)]
pub(super) struct Barriers(Mutex<HashMap<Barrier, oneshot::Sender<()>>>);

impl MessageHandler for Subscriber {
    fn on_message(&self, channel: &[u8], message: &[u8]) -> bool {
        let message = message::decode(message);
        if channel == self.messages {
            return match message {
                Some(Message::InvalidationMessage(message)) => self.published(&message),
                // A message of a later release may invalidate anything. It is not acknowledged, so its origin waits a lease.
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
            Some(Message::Barrier(barrier)) => self.barriers.resolve(&barrier),
            Some(Message::InvalidationMessage(_)) | None => {}
        }
        true
    }
}

impl Subscriber {
    /// Returns `false` if the queue of acknowledgements is full: the connection is given up, and another one may send later ones.
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
    /// Returns a receiver that resolves when the barrier arrives.
    pub(super) fn expect(&self, barrier: Barrier) -> oneshot::Receiver<()> {
        let (arrived, receiver) = oneshot::channel();
        let mut expected = self.expected();
        // Removes those of cancelled renewals.
        expected.retain(|_, arrived| !arrived.is_closed());
        expected.insert(barrier, arrived);
        receiver
    }

    fn resolve(&self, barrier: &Barrier) {
        if let Some(arrived) = self.expected().remove(barrier) {
            // The renewal may have been cancelled.
            let _ = arrived.send(());
        }
    }

    fn expected(&self) -> MutexGuard<'_, HashMap<Barrier, oneshot::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
