//! A server of the fleet: core's real lease, its backplane connection, its near-cache entries, and its reads in flight.

use std::collections::VecDeque;

use token_cache_core::{
    AccountKey, Invalidation, InvalidationId, InvalidationMessage, IssuerKey, RegistryId, ServerId,
    near_cache::BootInstant,
};
use token_cache_near_cache::{ConnectionNumber, InvalidationCounter, NearCacheLease};

use super::{
    clock::{Clock, Tick},
    store::ACCOUNTS,
};

/// A server of the fleet.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) own_lease: NearCacheLease,
    pub(super) clock: Clock,
    /// `true` if it has a near cache.
    pub(super) keeps: bool,
    pub(super) backplane: Option<Connection>,
    pub(super) renewal: Option<Renewal>,
    /// A renewal of an earlier connection that is still in flight. Recorded only if a demoted store server may still accept it.
    pub(super) late: Option<Renewal>,
    pub(super) near_caches: [Option<Copied>; ACCOUNTS],
    pub(super) reads: [Option<Reading>; ACCOUNTS],
    pub(super) writes: [Writing; ACCOUNTS],
    /// The account that it has acknowledged and not dropped yet.
    pub(super) to_drop: Option<usize>,
    pub(super) said: Said,
    pub(super) view: View,
    /// State that only mutants use.
    pub(super) remembers: Remembers,
}

/// An open backplane connection.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) number: Option<ConnectionNumber>,
    /// The process of the store that it is connected to.
    pub(super) process: usize,
    /// `true` once the lease has been notified of it.
    pub(super) told: bool,
    /// `true` if no message arrives any more.
    pub(super) lost: bool,
    /// Messages that were sent and not received.
    pub(super) queue: VecDeque<Push>,
}

/// A message on a backplane, in order.
#[derive(Debug, Clone)]
pub(super) enum Push {
    Published {
        message: InvalidationId,
        account: usize,
        origin: usize,
    },
    /// The message that a renewal publishes to the server that renews.
    Renewed,
}

#[derive(Debug, Clone)]
pub(super) struct Renewal {
    pub(super) number: Option<ConnectionNumber>,
    pub(super) process: usize,
    pub(super) sent: Tick,
    /// The registry that it arrived in.
    pub(super) registry: u8,
}

/// A near-cache entry.
#[derive(Debug, Clone)]
pub(super) struct Copied {
    pub(super) tokens: u8,
    pub(super) counter: InvalidationCounter,
    /// `None` if a backplane makes a maximum age unnecessary.
    pub(super) expires_at: Option<BootInstant>,
    /// The process of the store that it was read from.
    pub(super) from: usize,
}

/// A populating read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) counter: InvalidationCounter,
    pub(super) sent: Tick,
    pub(super) process: usize,
    /// The tokens that the store returned.
    pub(super) found: Option<u8>,
}

/// The write-back of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Writing {
    Idle,
    Sent,
    Applied(u8),
    Done(u8),
}

/// The progress of recording in the namespace's record that this server has a near cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Said {
    No,
    Applied,
    /// The time from which on it may populate and serve.
    From(BootInstant),
}

/// A server's knowledge of the namespace's record.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct View {
    /// When the read in flight was sent.
    pub(super) asked: Option<Tick>,
    /// When the last read was sent, and whether it said that near caches are in use.
    pub(super) read: Option<(Tick, bool)>,
}

/// State that only mutants use.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Remembers {
    pub(super) connected: Tick,
    pub(super) registry: Option<(RegistryId, Tick)>,
    pub(super) lease_before: Option<BootInstant>,
    /// The process that granted the lease.
    pub(super) lease_of: usize,
}

impl Clone for Server {
    fn clone(&self) -> Self {
        Self {
            own_lease: self.own_lease.fork(),
            clock: self.clock,
            keeps: self.keeps,
            backplane: self.backplane.clone(),
            renewal: self.renewal.clone(),
            late: self.late.clone(),
            near_caches: self.near_caches.clone(),
            reads: self.reads.clone(),
            writes: self.writes,
            to_drop: self.to_drop,
            said: self.said,
            view: self.view,
            remembers: self.remembers,
        }
    }
}

impl Server {
    pub(super) fn new(own_lease: NearCacheLease, clock: Clock, keeps: bool) -> Self {
        Self {
            own_lease: own_lease.with_counters(ACCOUNTS),
            clock,
            keeps,
            backplane: None,
            renewal: None,
            late: None,
            near_caches: Default::default(),
            reads: Default::default(),
            writes: [Writing::Idle; ACCOUNTS],
            to_drop: None,
            said: Said::No,
            view: View::default(),
            remembers: Remembers::default(),
        }
    }

    /// Returns the backplane connection if messages arrive on it.
    pub(super) fn open_backplane(&self) -> Option<&Connection> {
        self.backplane.as_ref().filter(|backplane| !backplane.lost)
    }

    pub(super) fn counters(&self) -> [InvalidationCounter; ACCOUNTS] {
        std::array::from_fn(|account| self.own_lease.counter(&account_key(account)))
    }

    /// Makes entries valid again that were valid with the counters `good`.
    pub(super) fn read_counter_again(&mut self, good: &[InvalidationCounter; ACCOUNTS]) {
        let now = self.counters();
        for (account, copy) in self.near_caches.iter_mut().enumerate() {
            if let Some(copy) = copy.as_mut().filter(|copy| copy.counter == good[account]) {
                copy.counter = now[account];
            }
        }
    }

    /// Drops the near-cache entries of an account.
    pub(super) fn invalidate(&mut self, account: usize) {
        self.own_lease.invalidate(&of(account));
        self.near_caches[account] = None;
    }
}

impl Remembers {
    pub(super) fn knew(&mut self, registry: RegistryId, now: Tick) {
        if self.registry.is_none_or(|(known, _)| known != registry) {
            self.registry = Some((registry, now));
        }
    }
}

impl Connection {
    pub(super) fn loses_all(&mut self) {
        self.lost = true;
        self.queue.clear();
    }
}

pub(super) fn server_id(server: usize) -> ServerId {
    ServerId::from_bytes([byte(server); 16])
}

pub(super) fn registry_id(registry: u8) -> RegistryId {
    RegistryId::from_bytes([registry; 16])
}

/// Returns the account of a number. Each account has its own counter.
pub(super) fn account_key(account: usize) -> AccountKey {
    let mut subject = [0; 16];
    subject[1] = byte(account);
    AccountKey::new(IssuerKey::from_bytes([0; 16]), subject)
}

fn of(account: usize) -> Invalidation {
    Invalidation::Accounts(vec![account_key(account)])
}

pub(super) fn message(id: InvalidationId, account: usize, origin: usize) -> InvalidationMessage {
    InvalidationMessage {
        id,
        origin: Some(server_id(origin)),
        what: of(account),
    }
}

fn byte(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
