//! A digest of a state. It covers exactly what can still matter.
//!
//! Times are digested as time left or time passed. Counters are digested as whether they are still the remembered ones. Schedules that
//! differ only in their past therefore lead to the same state.

use std::hash::{BuildHasher, Hash, Hasher};

use token_cache_core::LeaseHolder;

use super::{
    clock::{LEASE, Tick, with_drift},
    mutants::NearCacheMutant,
    scenario::Start,
    server::{Push, Said, Server, account_key, server_id},
    store::ACCOUNTS,
    world::{Stage, World},
};

/// Number of ticks after which every lease has ended and every near-cache entry has expired that was requested before, on any clock.
const LONG: Tick = 3;

impl World<'_> {
    pub(super) fn digest(&self) -> u64 {
        let mut hasher = foldhash::quality::FixedState::default().build_hasher();
        let into = &mut hasher;
        (self.faults, self.over).hash(into);
        self.scenario.ticks.map(|_| self.passed).hash(into);
        for process in &self.processes {
            let split = self.scenario.start == Start::Split;
            let gone = |at: Tick| {
                if split {
                    (self.now - at).min(LONG)
                } else {
                    LONG
                }
            };
            let gone = process.stopped.map(gone);
            (process.began, gone, process.ended, process.tokens).hash(into);
            process.near_caches_said.hash(into);
            match &process.registry {
                None => 0.hash(into),
                Some(registry) => {
                    registry.id.hash(into);
                    if self.counts() {
                        registry.holders.hash(into);
                    } else {
                        registry
                            .holders
                            .map(|own_lease| own_lease.is_some())
                            .hash(into);
                    }
                }
            }
        }
        for (number, server) in self.servers.iter().enumerate() {
            self.server(number, server, into);
        }
        for sign_out in &self.sign_outs {
            (sign_out.sendings, sign_out.settled).hash(into);
            let sent = sign_out
                .sent
                .map(|(at, kept)| ((self.now - at).min(LONG), kept));
            sent.hash(into);
            self.stage(&sign_out.stage, sign_out.act.by, into);
            for early in &sign_out.early {
                (early.message, early.server, early.knows).hash(into);
            }
        }
        let mut acks: Vec<_> = self
            .acks
            .iter()
            .map(|it| (it.to, it.by, it.ack.message, it.ack.knows))
            .collect();
        acks.sort_unstable();
        acks.hash(into);
        for reap in &self.reaps {
            self.rows(reap, into);
        }
        self.reaped.hash(into);
        hasher.finish()
    }

    /// Returns `true` if the number of a renewal may occur again.
    fn counts(&self) -> bool {
        self.wrong(NearCacheMutant::RenewalsCountedPerServer)
    }

    /// Digests leases that were read in the registry. Only whether they are still there matters.
    fn rows(&self, rows: &[LeaseHolder], into: &mut impl Hasher) {
        for row in rows {
            row.server.hash(into);
            if self.counts() {
                row.renewal.hash(into);
            }
            let servers = 0..self.servers.len();
            for server in servers.filter(|server| server_id(*server) == row.server) {
                for registry in self.processes.iter().filter_map(|at| at.registry.as_ref()) {
                    (registry.holders[server] == Some(row.renewal)).hash(into);
                }
            }
        }
        usize::MAX.hash(into);
    }

    fn stage(&self, stage: &Stage, by: usize, into: &mut impl Hasher) {
        let now = self.clock(by);
        match stage {
            Stage::Idle => 0.hash(into),
            Stage::Sent => 1.hash(into),
            Stage::Half(None) => 2.hash(into),
            Stage::Half(Some(published)) => {
                (3, published.id, published.registry).hash(into);
                self.rows(&published.holders, into);
            }
            Stage::Landed { published, process } => {
                (4, process).hash(into);
                if let Some(published) = published {
                    (published.id, published.registry).hash(into);
                    self.rows(&published.holders, into);
                }
            }
            Stage::Clearing { ack_wait, received } => {
                (5, ack_wait.message(), ack_wait.is_whole()).hash(into);
                (self.now - received).hash(into);
                self.rows(ack_wait.silent(), into);
            }
            Stage::Aging { until } => (6, until.since(now)).hash(into),
            Stage::Over => 7.hash(into),
        }
    }

    fn server(&self, number: usize, it: &Server, into: &mut impl Hasher) {
        let now = it.clock.at(self.now);
        let gone = |tick: Tick| (self.now - tick).min(LONG);
        let lease = it.own_lease.lease_until();
        let counts = self.has_backplane() && self.serves_something(number);
        let leased = lease.filter(|_| counts);
        leased.map(|until| until.since(now)).hash(into);
        let known = it.own_lease.seen_registry();
        let known = known.map(|(id, since)| (id, now.since(since).min(with_drift(LEASE))));
        known.hash(into);
        let number = it.backplane.as_ref().and_then(|backplane| backplane.number);
        if let Some(backplane) = &it.backplane {
            (backplane.process, backplane.told, backplane.lost).hash(into);
            for push in &backplane.queue {
                match push {
                    Push::Published {
                        message, account, ..
                    } => (0, message, account).hash(into),
                    Push::Renewed => 1.hash(into),
                }
            }
        }
        for renewal in [&it.renewal, &it.late] {
            let facts = renewal.as_ref().map(|renewal| {
                let current = renewal.number == number;
                (
                    current,
                    renewal.process,
                    gone(renewal.sent),
                    renewal.registry,
                )
            });
            facts.hash(into);
        }
        for account in 0..ACCOUNTS {
            let counter = it.own_lease.counter(&account_key(account));
            let copy = it.near_caches[account].as_ref().map(|copy| {
                let left = copy.expires_at.map(|expires_at| expires_at.since(now));
                (copy.tokens, copy.counter == counter, left, copy.from)
            });
            copy.hash(into);
            let read = it.reads[account].as_ref().map(|read| {
                (
                    read.counter == counter,
                    gone(read.sent),
                    read.process,
                    read.found,
                )
            });
            read.hash(into);
        }
        (it.writes, it.to_drop).hash(into);
        match it.said {
            Said::From(from) => from.since(now).hash(into),
            said => said.hash(into),
        }
        let view = it.view;
        let read = view.read.map(|(asked, says)| (gone(asked), says));
        (view.asked.map(gone), read).hash(into);
        self.remembered(it, into);
    }

    fn remembered(&self, it: &Server, into: &mut impl Hasher) {
        let gone = |tick: Tick| (self.now - tick).min(LONG);
        let remembers = it.remembers;
        remembers.lease_of.hash(into);
        if self.scenario.wrong.is_some() {
            let registry = remembers.registry.map(|(id, since)| (id, gone(since)));
            let now = it.clock.at(self.now);
            let left = remembers.lease_before.map(|until| until.since(now));
            (gone(remembers.connected), registry, left).hash(into);
        }
    }
}
