//! The store: its servers, each with the accounts and the registry as it knows them.

use token_cache_core::LeaseHolder;

use super::{clock::Tick, server::server_id};

/// How many accounts there are.
pub(super) const ACCOUNTS: usize = 2;
/// How many servers the fleet has at the most.
pub(super) const SERVERS: usize = 3;

/// One server process of the store.
#[derive(Debug, Clone, Default)]
pub(super) struct Process {
    /// When it stopped to be a primary; none while it is one.
    pub(super) stopped: Option<Tick>,
    /// True where it has been a primary.
    pub(super) began: bool,
    /// Which accounts are signed out.
    pub(super) ended: [bool; ACCOUNTS],
    /// Which tokens each has: a refresh replaces them.
    pub(super) tokens: [u8; ACCOUNTS],
    /// Whether the namespace's record says that copies are kept.
    pub(super) near_caches_said: bool,
    pub(super) registry: Option<Registry>,
}

impl Process {
    /// Whether it takes writes.
    pub(super) fn acts(&self) -> bool {
        self.began && self.stopped.is_none()
    }

    /// The tokens of an account that has not been signed out.
    pub(super) fn read(&self, account: usize) -> Option<u8> {
        (!self.ended[account]).then_some(self.tokens[account])
    }
}

/// Who holds a lease.
#[derive(Debug, Clone)]
pub(super) struct Registry {
    pub(super) id: u8,
    /// Each server's last renewal.
    pub(super) holders: [Option<u64>; SERVERS],
}

impl Registry {
    pub(super) fn new(id: u8) -> Self {
        Self {
            id,
            holders: [None; SERVERS],
        }
    }

    pub(super) fn holders(&self) -> Vec<LeaseHolder> {
        let rows = self.holders.iter().enumerate();
        rows.filter_map(|(server, renewal)| {
            Some(LeaseHolder {
                server: server_id(server),
                renewal: (*renewal)?,
            })
        })
        .collect()
    }
}
