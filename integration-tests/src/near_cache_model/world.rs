//! The complete state of a schedule.

use std::time::Duration;

use token_cache_core::{
    Acknowledgement, LeaseHolder, Published, RegistryId, near_cache::BootInstant,
};
use token_cache_near_cache::{AckWait, NearCacheLease};

use super::{
    clock::{Clock, LEASE, Tick, with_drift, without_drift},
    mutants::NearCacheMutant,
    scenario::{Lacks, NearCacheScenario, SignOutAct, Start},
    server::{Connection, Server, registry_id, server_id},
    store::{ACCOUNTS, Process, Registry},
};

/// The process on which a cluster stores accounts. Registry and backplane are on another.
pub(super) const ACCOUNTS_ONLY: usize = 2;

/// The complete state of a schedule.
#[derive(Debug, Clone)]
pub(super) struct World<'a> {
    pub(super) scenario: &'a NearCacheScenario,
    pub(super) now: Tick,
    /// Number of ticks since the world began.
    pub(super) passed: u16,
    pub(super) faults: u8,
    pub(super) processes: [Process; 3],
    pub(super) servers: Vec<Server>,
    pub(super) sign_outs: Vec<SignOut>,
    pub(super) acks: Vec<Flying>,
    pub(super) reaps: Vec<Vec<LeaseHolder>>,
    /// The servers that were removed from the registry and have not renewed since.
    pub(super) reaped: [bool; 3],
    /// The accounts whose tokens no server may serve any more.
    pub(super) over: [bool; ACCOUNTS],
    pub(super) renewals: u64,
    pub(super) registries: u8,
    /// The steps in words, if a trace is recorded.
    pub(super) trace: Option<Vec<String>>,
}

/// An acknowledgement in flight.
#[derive(Debug, Clone)]
pub(super) struct Flying {
    pub(super) to: usize,
    pub(super) by: usize,
    pub(super) ack: Acknowledgement,
}

/// A sign-out in progress.
#[derive(Debug, Clone)]
pub(super) struct SignOut {
    pub(super) act: SignOutAct,
    pub(super) sendings: u8,
    pub(super) stage: Stage,
    /// Acknowledgements that arrived before the answer.
    pub(super) early: Vec<Acknowledgement>,
    /// `true` if no fault affected what it depends on, and the registry was known for long.
    pub(super) settled: bool,
    /// When it was sent, and whether near caches were known to be in use then. Recorded only if there is no backplane.
    pub(super) sent: Option<(Tick, bool)>,
}

/// Progress of a sign-out.
#[derive(Debug, Clone)]
pub(super) enum Stage {
    Idle,
    /// To be sent, or sent again.
    Sent,
    /// On a cluster: the eviction is answered, and the message is yet to be published. The mutant has published, and is yet to evict.
    Half(Option<Published>),
    /// It has arrived, and the answer is in flight. `None` if nothing was published.
    Landed {
        published: Option<Published>,
        process: usize,
    },
    /// It waits for servers.
    Clearing {
        ack_wait: AckWait,
        received: Tick,
    },
    /// It waits for the maximum age.
    Aging {
        until: BootInstant,
    },
    Over,
}

impl<'a> World<'a> {
    pub(super) fn new(scenario: &'a NearCacheScenario, traced: bool) -> Self {
        let process = |began| Process {
            began,
            registry: began.then(|| Registry::new(1)),
            ..Process::default()
        };
        let servers = scenario
            .servers
            .iter()
            .enumerate()
            .map(|(number, coordinator)| {
                let own_lease = match scenario.start {
                    Start::NoBackplane | Start::Unsaid => NearCacheLease::without_backplane(),
                    _ => NearCacheLease::new(),
                };
                Server::new(
                    own_lease,
                    Clock::new(number, coordinator.rate),
                    coordinator.near_caches,
                )
            });
        let sign_outs = scenario.sign_outs.iter().map(|act| SignOut {
            act: *act,
            sendings: 0,
            stage: Stage::Idle,
            early: Vec::new(),
            settled: false,
            sent: None,
        });
        let mut world = Self {
            scenario,
            now: 0,
            passed: 0,
            faults: scenario.faults,
            processes: [process(true), process(false), process(scenario.cluster)],
            servers: servers.collect(),
            sign_outs: sign_outs.collect(),
            acks: Vec::new(),
            reaps: Vec::new(),
            reaped: [false; 3],
            over: [false; ACCOUNTS],
            renewals: 0,
            registries: 1,
            trace: None,
        };
        if world.has_backplane() {
            world.open_links();
        }
        world.trace = traced.then(Vec::new);
        world
    }

    fn open_links(&mut self) {
        if self.scenario.start == Start::Split {
            self.take_over(Lacks::Nothing);
        }
        for server in 0..self.servers.len() {
            let elsewhere = self.scenario.start == Start::Split && server == 0;
            self.connect(server, usize::from(elsewhere));
            self.told(server);
            self.renew_at_once(server);
        }
        if self.scenario.start != Start::Young {
            self.now = 4;
            for server in 0..self.servers.len() {
                self.renew_at_once(server);
            }
        }
    }

    fn renew_at_once(&mut self, server: usize) {
        if self.servers[server].keeps {
            self.renew(server);
            self.hear(server);
        }
    }

    pub(super) fn wrong(&self, mutant: NearCacheMutant) -> bool {
        self.scenario.wrong == Some(mutant)
    }

    /// Returns `true` if a server ever has anything to serve under its lease.
    pub(super) fn serves_something(&self, server: usize) -> bool {
        self.scenario.reads.iter().any(|(by, _)| *by == server)
    }

    /// Returns `true` if the store has a backplane.
    pub(super) fn has_backplane(&self) -> bool {
        !matches!(self.scenario.start, Start::NoBackplane | Start::Unsaid)
    }

    /// Returns the time of a server's clock.
    pub(super) fn clock(&self, server: usize) -> BootInstant {
        self.servers[server].clock.at(self.now)
    }

    /// Returns the processes that a server may reach on a connection other than its backplane.
    pub(super) fn primaries(&self) -> Vec<usize> {
        if self.scenario.cluster {
            return vec![ACCOUNTS_ONLY];
        }
        self.link_primaries()
    }

    /// Returns the processes that a backplane connection can be opened to.
    pub(super) fn link_primaries(&self) -> Vec<usize> {
        (0..2).filter(|at| self.processes[*at].acts()).collect()
    }

    /// Returns the registry that a server relies on.
    pub(super) fn knows(&self, server: usize) -> Option<RegistryId> {
        let it = &self.servers[server];
        let age = |since: Tick| it.clock.at(self.now).since(it.clock.at(since));
        let remembers = it.remembers;
        if self.wrong(NearCacheMutant::YoungPerConnection) {
            let old = age(remembers.connected) >= with_drift(LEASE);
            let backplane = it.backplane.as_ref()?;
            let registry = self.processes[backplane.process].registry.as_ref()?.id;
            return old.then(|| registry_id(registry));
        }
        if self.wrong(NearCacheMutant::YoungPerRegistry) {
            let (registry, since) = remembers.registry?;
            return (age(since) >= with_drift(LEASE)).then_some(registry);
        }
        it.own_lease.knows(LEASE, self.clock(server))
    }

    /// Returns the acknowledgements that a sign-out waits for.
    pub(super) fn ack_wait(&self, origin: usize, published: Published) -> AckWait {
        let knows = if self.wrong(NearCacheMutant::YoungNotWaited) {
            published.registry
        } else {
            self.knows(origin)
        };
        let longest = self.longest();
        let received = self.clock(origin);
        AckWait::new(published, server_id(origin), knows, longest, received)
    }

    fn longest(&self) -> Duration {
        if self.wrong(NearCacheMutant::NoDriftMargin) {
            without_drift(LEASE)
        } else {
            LEASE
        }
    }

    /// Returns the registry of a process. Creates it if it is missing.
    pub(super) fn registry(&mut self, process: usize) -> &mut Registry {
        let made = self.registries + 1;
        let registry = &mut self.processes[process].registry;
        if registry.is_none() {
            self.registries = made;
        }
        registry.get_or_insert_with(|| Registry::new(made))
    }

    /// Returns the connections that receive an invalidation message of a process. Servers without a near cache acknowledge no message.
    pub(super) fn listeners(&mut self, process: usize) -> impl Iterator<Item = &mut Connection> {
        let through_replica = self.wrong(NearCacheMutant::DemotedKeepsListeners);
        let caches = self.servers.iter_mut().filter(|server| server.keeps);
        let links = caches.filter_map(|server| server.backplane.as_mut());
        links.filter(move |backplane| {
            !backplane.lost && (backplane.process == process || through_replica)
        })
    }

    /// Adds a line to the trace, if one is recorded.
    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        let tick = self.now;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("[tick {tick:>2}] {}", what()));
        }
    }
}
