use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::mpsc;

use token_cache_core::{Acknowledgement, InvalidationId};

/// The most acknowledgements that are stored before a sign-out waits for them. A server may acknowledge an invalidation message before the
/// store returns the message's id to its origin. A dropped acknowledgement delays the sign-out by at most a lease. It does not affect
/// finality.
const UNAWAITED: usize = 4_096;

/// The acknowledgements of this server's own invalidation messages.
#[derive(Debug, Default)]
pub(super) struct Acknowledgements(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    awaited: HashMap<InvalidationId, mpsc::UnboundedSender<Acknowledgement>>,
    unawaited: VecDeque<Acknowledgement>,
}

impl Acknowledgements {
    pub(super) fn hear(&self, acknowledgement: Acknowledgement) {
        let mut state = self.state();
        if let Some(awaiting) = state.awaited.get(&acknowledgement.message) {
            // A send fails only if the wait has ended. Its entry is removed then, or is about to be.
            let _ = awaiting.send(acknowledgement);
            return;
        }
        if state.unawaited.len() == UNAWAITED {
            state.unawaited.pop_front();
        }
        state.unawaited.push_back(acknowledgement);
    }

    /// Returns the acknowledgements of these messages, beginning with those that have already arrived.
    pub(super) fn awaiting(self: &Arc<Self>, messages: Vec<InvalidationId>) -> Awaiting {
        let (sender, heard) = mpsc::unbounded_channel();
        let mut state = self.state();
        state.unawaited.retain(|acknowledgement| {
            let awaited = messages.contains(&acknowledgement.message);
            if awaited {
                let _ = sender.send(*acknowledgement);
            }
            !awaited
        });
        for message in &messages {
            state.awaited.insert(*message, sender.clone());
        }
        drop(state);
        Awaiting {
            acknowledgements: Arc::clone(self),
            messages,
            heard,
            _sender: sender,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream of the acknowledgements of some invalidation messages.
pub(super) struct Awaiting {
    acknowledgements: Arc<Acknowledgements>,
    messages: Vec<InvalidationId>,
    heard: mpsc::UnboundedReceiver<Acknowledgement>,
    /// Keeps the channel open if there are no messages to wait for.
    _sender: mpsc::UnboundedSender<Acknowledgement>,
}

impl Awaiting {
    /// Returns the next acknowledgement. Never returns if no acknowledgement arrives.
    pub(super) async fn next(&mut self) -> Acknowledgement {
        match self.heard.recv().await {
            Some(acknowledgement) => acknowledgement,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Awaiting {
    fn drop(&mut self) {
        let mut state = self.acknowledgements.state();
        for message in &self.messages {
            state.awaited.remove(message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use token_cache_core::ServerId;

    fn answer(message: u8, server: u8) -> Acknowledgement {
        Acknowledgement {
            message: InvalidationId::from_bytes([message; 16]),
            server: ServerId::from_bytes([server; 16]),
            knows: None,
        }
    }

    fn heard(awaiting: &mut Awaiting) -> Option<Acknowledgement> {
        awaiting.heard.try_recv().ok()
    }

    #[test]
    fn answers_that_come_before_anybody_waits_are_not_lost() {
        let answers = Arc::new(Acknowledgements::default());
        answers.hear(answer(1, 1));
        answers.hear(answer(2, 1));
        let mut first = answers.awaiting(vec![answer(1, 1).message]);
        answers.hear(answer(1, 2));
        assert_eq!(heard(&mut first), Some(answer(1, 1)));
        assert_eq!(heard(&mut first), Some(answer(1, 2)));
        assert_eq!(heard(&mut first), None);
        let mut second = answers.awaiting(vec![answer(2, 1).message]);
        assert_eq!(heard(&mut second), Some(answer(2, 1)));
    }

    #[test]
    fn what_nobody_waits_for_is_bounded_and_the_oldest_goes() {
        let answers = Arc::new(Acknowledgements::default());
        answers.hear(answer(1, 1));
        for _ in 0..UNAWAITED {
            answers.hear(answer(2, 1));
        }
        assert_eq!(answers.state().unawaited.len(), UNAWAITED);
        let mut awaiting = answers.awaiting(vec![answer(1, 1).message]);
        assert_eq!(heard(&mut awaiting), None);
        drop(awaiting);
        assert!(answers.state().awaited.is_empty());
    }
}
