use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::grants::Grants;
use super::{AskedOfProvider, ProviderFault};

/// The state that the provider's connections and its owner share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    grants: Mutex<Grants>,
    state: Mutex<State>,
    /// Changes when held answers may be sent.
    changes: watch::Sender<()>,
    /// Changes when every connection is to be closed.
    cuts: watch::Sender<()>,
}

/// The settings, and the requests that arrived.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) asked: Vec<AskedOfProvider>,
    pub(super) delay: Duration,
    pub(super) held: bool,
    pub(super) holding: usize,
    pub(super) refusing: bool,
    pub(super) next_faults: VecDeque<ProviderFault>,
    pub(super) every_fault: Option<ProviderFault>,
}

impl Shared {
    pub(super) fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake(&self) {
        self.changes.send_replace(());
    }

    pub(super) fn cut(&self) {
        self.cuts.send_replace(());
    }

    pub(super) fn until_cut(&self) -> watch::Receiver<()> {
        self.cuts.subscribe()
    }

    /// Records a request, and returns the fault to apply to it.
    pub(super) fn arrived(&self, asked: AskedOfProvider) -> Option<ProviderFault> {
        let mut state = self.state();
        state.asked.push(asked);
        state.next_faults.pop_front().or(state.every_fault)
    }

    /// Waits while answers are held.
    pub(super) async fn held(&self) {
        let mut changes = self.changes.subscribe();
        if !self.state().held {
            return;
        }
        let _counted = Holding::of(self);
        while self.state().held {
            // The sender lives as long as `self`.
            let _ = changes.changed().await;
        }
    }
}

/// Counts a held answer, also if its client disconnects.
struct Holding<'a>(&'a Shared);

impl<'a> Holding<'a> {
    fn of(shared: &'a Shared) -> Self {
        shared.state().holding += 1;
        Self(shared)
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.0.state().holding -= 1;
    }
}
