use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Fault;

/// What the proxy's threads and its owner share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Those passed on; those that arrived are more while the proxy is frozen.
    pub(super) requests: BTreeMap<String, u64>,
    pub(super) arrived: u64,
    pub(super) armed: Vec<(String, Fault)>,
    pub(super) faults: u64,
    pub(super) delay: Duration,
    pub(super) frozen: bool,
    pub(super) refusing: bool,
    pub(super) closed: bool,
    /// Both ends of every open connection.
    ends: BTreeMap<u64, [TcpStream; 2]>,
    opened: u64,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake(&self) {
        self.changed.notify_all();
    }

    /// Waits while the proxy is frozen; the state afterwards.
    pub(super) fn thawed(&self) -> MutexGuard<'_, State> {
        self.changed
            .wait_while(self.state(), |state| state.frozen && !state.closed)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a request; the fault that is to happen to it.
    pub(super) fn request(&mut self, command: String) -> Option<Fault> {
        let armed = self.armed.iter().position(|(name, _)| *name == command);
        *self.requests.entry(command).or_default() += 1;
        armed.map(|index| self.armed.remove(index).1)
    }

    pub(super) fn open(&mut self, ends: [TcpStream; 2]) -> u64 {
        self.opened += 1;
        self.ends.insert(self.opened, ends);
        self.opened
    }

    pub(super) fn close(&mut self, connection: u64) {
        if let Some(ends) = self.ends.remove(&connection) {
            shut(&ends);
        }
    }

    pub(super) fn cut(&mut self) {
        for ends in self.ends.values() {
            shut(ends);
        }
        self.ends.clear();
    }
}

fn shut(ends: &[TcpStream; 2]) {
    for end in ends {
        // The other side may have closed it already.
        let _ = end.shutdown(Shutdown::Both);
    }
}
