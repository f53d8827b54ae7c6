use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Fault;

/// The state that the proxy's threads and its owner share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// The requests that were forwarded. While the proxy is frozen, more have arrived.
    pub(super) requests: BTreeMap<String, u64>,
    pub(super) arrived: u64,
    pub(super) armed: Vec<(String, Fault)>,
    pub(super) faults: u64,
    pub(super) delay: Duration,
    pub(super) frozen: bool,
    pub(super) refusing: bool,
    pub(super) closed: bool,
    pub(super) links: Links,
    open: BTreeMap<u64, Open>,
    opened: u64,
}

/// Faults of connections that subscribe, and of no others.
#[derive(Debug, Default)]
pub(super) struct Links {
    pub(super) frozen: bool,
    pub(super) refused: bool,
    pub(super) apart: Option<Apart>,
}

/// The delays of replies and of pushes, independent of each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Apart {
    pub(super) replies: Duration,
    pub(super) pushes: Duration,
}

#[derive(Debug)]
struct Open {
    ends: [TcpStream; 2],
    subscribes: bool,
    /// `true` if a replica uses the connection.
    replicates: bool,
    /// `true` if the connection never forwards anything again.
    dead: bool,
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

    /// Waits while the connection is frozen. Returns the state afterwards.
    pub(super) fn thawed(&self, connection: u64) -> MutexGuard<'_, State> {
        self.changed
            .wait_while(self.state(), |state| {
                let frozen = state.frozen
                    || state.is_dead(connection)
                    || (state.links.frozen && state.subscribes(connection));
                frozen && !state.closed
            })
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a request, and returns the fault to apply to it.
    pub(super) fn request(&mut self, command: String) -> Option<Fault> {
        let armed = self.armed.iter().position(|(name, _)| *name == command);
        *self.requests.entry(command).or_default() += 1;
        armed.map(|index| self.armed.remove(index).1)
    }

    pub(super) fn open(&mut self, ends: [TcpStream; 2]) -> u64 {
        self.opened += 1;
        let open = Open {
            ends,
            subscribes: false,
            replicates: false,
            dead: false,
        };
        self.open.insert(self.opened, open);
        self.opened
    }

    pub(super) fn close(&mut self, connection: u64) {
        if let Some(open) = self.open.remove(&connection) {
            shut(&open.ends);
        }
    }

    pub(super) fn cut(&mut self) {
        for open in self.open.values() {
            shut(&open.ends);
        }
        self.open.clear();
    }

    /// Stops all traffic on the clients' open connections. Returns their number.
    pub(super) fn swallow(&mut self) -> usize {
        let clients = self.open.values_mut().filter(|open| !open.replicates);
        clients.map(|open| open.dead = true).count()
    }

    /// Records that a replica uses the connection.
    pub(super) fn replicates(&mut self, connection: u64) {
        if let Some(open) = self.open.get_mut(&connection) {
            open.replicates = true;
        }
    }

    fn is_dead(&self, connection: u64) -> bool {
        let open = self.open.get(&connection);
        open.is_some_and(|open| open.dead)
    }

    /// Records that the connection has subscribed.
    pub(super) fn subscribed(&mut self, connection: u64) {
        if self.links.refused {
            self.close(connection);
        }
        if let Some(open) = self.open.get_mut(&connection) {
            open.subscribes = true;
        }
    }

    pub(super) fn subscribes(&self, connection: u64) -> bool {
        let open = self.open.get(&connection);
        open.is_some_and(|open| open.subscribes)
    }

    /// Returns the number of connections that subscribe.
    pub(super) fn count_links(&self) -> usize {
        self.open.values().filter(|open| open.subscribes).count()
    }

    pub(super) fn cut_links(&mut self) {
        self.open.retain(|_, open| {
            if open.subscribes {
                shut(&open.ends);
            }
            !open.subscribes
        });
    }

    /// Returns the delays of the connection's replies and pushes, if these are delayed independently.
    pub(super) fn apart(&self, connection: u64) -> Option<Apart> {
        self.links.apart.filter(|_| self.subscribes(connection))
    }
}

fn shut(ends: &[TcpStream; 2]) {
    for end in ends {
        // The other side may have closed it already.
        let _ = end.shutdown(Shutdown::Both);
    }
}
