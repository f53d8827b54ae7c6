//! The store: its server processes, each with its own state of the accounts and the registry.

use token_cache_core::LeaseHolder;

use super::{clock::Tick, server::server_id};

/// Number of accounts.
pub(super) const ACCOUNTS: usize = 2;
/// Maximum number of servers in the fleet.
pub(super) const SERVERS: usize = 3;

/// One server process of the store.
#[derive(Debug, Clone, Default)]
pub(super) struct Process {
    /// When it stopped being a primary, or `None` while it is one.
    pub(super) stopped: Option<Tick>,
    /// `true` if it has been a primary.
    pub(super) began: bool,
    /// The accounts that are signed out.
    pub(super) ended: [bool; ACCOUNTS],
    /// The tokens of each account. A refresh replaces them.
    pub(super) tokens: [u8; ACCOUNTS],
    /// `true` if the namespace's record says that near caches are in use.
    pub(super) near_caches_said: bool,
    pub(super) registry: Option<Registry>,
}

impl Process {
    /// Returns `true` if it accepts writes.
    pub(super) fn acts(&self) -> bool {
        self.began && self.stopped.is_none()
    }

    /// Returns the tokens of an account, or `None` if it is signed out.
    pub(super) fn read(&self, account: usize) -> Option<u8> {
        (!self.ended[account]).then_some(self.tokens[account])
    }
}

/// The servers that have a lease.
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
