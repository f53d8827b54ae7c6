//! A server of the fleet: core's real holder, its backplane, its copies, and its reads under way.

use std::collections::VecDeque;

use token_cache_core::{
    AccountKey, Invalidation, InvalidationId, InvalidationMessage, IssuerKey, RegistryId, ServerId,
    near_cache::{BootInstant, ConnectionNumber, InvalidationCounter, NearCacheLease},
};

use super::{
    clock::{Clock, Tick},
    store::ACCOUNTS,
};

/// A server of the fleet.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) own_lease: NearCacheLease,
    pub(super) clock: Clock,
    /// Whether it keeps copies.
    pub(super) keeps: bool,
    pub(super) backplane: Option<Connection>,
    pub(super) renewal: Option<Renewal>,
    /// A renewal of an earlier connection, still under way; kept where a store server may still take it that is none any more.
    pub(super) late: Option<Renewal>,
    pub(super) near_caches: [Option<Copied>; ACCOUNTS],
    pub(super) reads: [Option<Reading>; ACCOUNTS],
    pub(super) writes: [Writing; ACCOUNTS],
    /// What it has acknowledged and not dropped yet.
    pub(super) to_drop: Option<usize>,
    pub(super) said: Said,
    pub(super) view: View,
    /// What mutants remember.
    pub(super) remembers: Remembers,
}

/// An open link.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) number: Option<ConnectionNumber>,
    /// Which process of the store it leads to.
    pub(super) process: usize,
    /// True once the holder has been told.
    pub(super) told: bool,
    /// True where nothing comes any more.
    pub(super) lost: bool,
    /// What was sent and has not been heard.
    pub(super) queue: VecDeque<Push>,
}

/// What comes over a backplane, in order.
#[derive(Debug, Clone)]
pub(super) enum Push {
    Published {
        message: InvalidationId,
        account: usize,
        origin: usize,
    },
    /// What a renewal publishes to the one who renews.
    NotBefore,
}

#[derive(Debug, Clone)]
pub(super) struct Renewal {
    pub(super) number: Option<ConnectionNumber>,
    pub(super) process: usize,
    pub(super) sent: Tick,
    /// The registry that it landed in.
    pub(super) registry: u8,
}

/// A copy.
#[derive(Debug, Clone)]
pub(super) struct Copied {
    pub(super) tokens: u8,
    pub(super) counter: InvalidationCounter,
    /// None where a backplane makes an age needless.
    pub(super) expires_at: Option<BootInstant>,
    /// Which process of the store it was read from.
    pub(super) from: usize,
}

/// A read that fills a copy.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) counter: InvalidationCounter,
    pub(super) sent: Tick,
    pub(super) process: usize,
    /// What the store found.
    pub(super) found: Option<u8>,
}

/// A refresh's write-back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Writing {
    Idle,
    Sent,
    Applied(u8),
    Done(u8),
}

/// Whether this server has said in the namespace's record that it keeps copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Said {
    No,
    Applied,
    /// From when it may fill and serve.
    From(BootInstant),
}

/// What this server has read in the namespace's record.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct View {
    /// When the read under way was sent.
    pub(super) asked: Option<Tick>,
    /// When the last one was sent, and whether it said that copies are kept.
    pub(super) read: Option<(Tick, bool)>,
}

/// What only mutants go by.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Remembers {
    pub(super) connected: Tick,
    pub(super) registry: Option<(RegistryId, Tick)>,
    pub(super) lease_before: Option<BootInstant>,
    /// Which process gave the lease.
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

    /// The backplane, while something comes over it.
    pub(super) fn open_backplane(&self) -> Option<&Connection> {
        self.backplane.as_ref().filter(|backplane| !backplane.lost)
    }

    pub(super) fn counters(&self) -> [InvalidationCounter; ACCOUNTS] {
        std::array::from_fn(|account| self.own_lease.counter(&account_key(account)))
    }

    /// What was good is so again.
    pub(super) fn read_counter_again(&mut self, good: &[InvalidationCounter; ACCOUNTS]) {
        let now = self.counters();
        for (account, copy) in self.near_caches.iter_mut().enumerate() {
            if let Some(copy) = copy.as_mut().filter(|copy| copy.counter == good[account]) {
                copy.counter = now[account];
            }
        }
    }

    /// Drops what it holds of an account.
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

/// The account of a number; each has a counter of its own.
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
