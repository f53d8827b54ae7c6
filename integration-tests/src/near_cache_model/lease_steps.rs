//! Links and leases: opening, renewing, hearing.

use std::collections::VecDeque;

use token_cache_core::{Acknowledgement, RegistryId};

use super::{
    clock::LEASE,
    mutants::LocalMutant,
    scenario::Start,
    server::{Connection, Push, Renewal, message, registry_id, server_id},
    world::{Flying, World},
};

impl World<'_> {
    /// A server opens its backplane to a process, and listens.
    pub(super) fn connect(&mut self, server: usize, process: usize) {
        let late_forgets = self.wrong(LocalMutant::VouchesForTheConnectionBefore);
        let lease_stays = self.wrong(LocalMutant::LeaseOutlivesConnection)
            || self.wrong(LocalMutant::LeaseRunsWhileConnecting);
        let split = self.scenario.start == Start::Split;
        let it = &mut self.servers[server];
        if lease_stays {
            it.remembers.lease_before = it.own_lease.lease_until();
        }
        let number = (!late_forgets).then(|| it.own_lease.connecting());
        it.late = it.renewal.take().filter(|_| split);
        it.backplane = Some(Connection {
            number,
            process,
            told: false,
            lost: false,
            queue: VecDeque::default(),
        });
        self.tell(|| format!("server {server} listens, on a new link to primary {process}"));
    }

    /// Its holder is told so.
    pub(super) fn told(&mut self, server: usize) {
        let now = self.now;
        let cached_reads_stay = self.wrong(LocalMutant::CachedReadsOutliveConnection);
        let lease_ends = self.wrong(LocalMutant::LeaseRunsWhileConnecting);
        let it = &mut self.servers[server];
        if lease_ends {
            it.remembers.lease_before = None;
        }
        let good = it.counters();
        let Some(backplane) = &mut it.backplane else {
            return;
        };
        let number = backplane
            .number
            .unwrap_or_else(|| it.own_lease.connecting());
        backplane.number = Some(number);
        backplane.told = true;
        it.own_lease.connected(number);
        it.remembers.connected = now;
        let process = backplane.process;
        if cached_reads_stay {
            it.read_counter_again(&good);
        }
        self.tell(|| format!("server {server} has its backplane open: its copies are dead"));
        if !self.servers[server].keeps {
            let registry = self.registry(process).id;
            self.sees(server, registry_id(registry));
        }
    }

    /// A server that keeps no copies has read the registry's id.
    pub(super) fn sees(&mut self, server: usize, registry: RegistryId) {
        let now = self.clock(server);
        let tick = self.now;
        let it = &mut self.servers[server];
        if let Some(number) = it.backplane.as_ref().and_then(|backplane| backplane.number) {
            it.own_lease.saw(number, registry, now);
            it.remembers.knew(registry, tick);
        }
    }

    /// A renewal is sent, and lands. It may land later than it was sent, which only makes the lease shorter.
    pub(super) fn renew(&mut self, server: usize) {
        let sent = self.now;
        let Some(backplane) = &self.servers[server].backplane else {
            return;
        };
        let (connection, process) = (backplane.number, backplane.process);
        self.renewals += 1;
        let mut number = self.renewals;
        let registry = self.registry(process);
        let id = registry.id;
        let mine = registry.holders[server].unwrap_or_default() + 1;
        if self.wrong(LocalMutant::RenewalsCountedPerHolder) {
            number = mine;
        }
        self.registry(process).holders[server] = Some(number);
        self.reaped[server] = false;
        let it = &mut self.servers[server];
        it.renewal = Some(Renewal {
            number: connection,
            process,
            sent,
            registry: id,
        });
        if let Some(backplane) = &mut it.backplane {
            backplane.queue.push_back(Push::NotBefore);
        }
        self.tell(|| format!("server {server}'s renewal lands at primary {process}"));
    }

    /// A renewal of an earlier connection is answered.
    pub(super) fn answer_late(&mut self, server: usize) {
        if let Some(late) = self.servers[server].late.take() {
            let current = self.servers[server].backplane.as_ref();
            let number = if self.wrong(LocalMutant::LateRenewalCredited) {
                current.and_then(|backplane| backplane.number)
            } else {
                late.number
            };
            self.tell(|| format!("server {server} hears that its renewal of before succeeded"));
            self.credit(server, &Renewal { number, ..late });
        }
    }

    /// The reply to a renewal comes, before what was published: it means nothing.
    pub(super) fn reply(&mut self, server: usize) {
        if let Some(renewal) = self.servers[server].renewal.take() {
            self.tell(|| format!("server {server} gets the reply to its renewal"));
            self.credit(server, &renewal);
        }
    }

    fn credit(&mut self, server: usize, renewal: &Renewal) {
        let Some(number) = renewal.number else { return };
        let registry = renewal.registry;
        let (now, tick) = (self.clock(server), self.now);
        let from_receipt = self.wrong(LocalMutant::LeaseFromReceipt);
        let cached_reads_stay = self.wrong(LocalMutant::CachedReadsOutliveConnection);
        let it = &mut self.servers[server];
        let sent = if from_receipt {
            now
        } else {
            it.clock.at(renewal.sent)
        };
        let good = it.counters();
        let before = it.own_lease.lease_until();
        it.own_lease
            .renewed(number, registry_id(registry), LEASE, sent, now);
        it.remembers.knew(registry_id(registry), tick);
        if cached_reads_stay {
            it.read_counter_again(&good);
        }
        if it.own_lease.lease_until() != before {
            it.remembers.lease_of = renewal.process;
            let sent = renewal.sent;
            self.tell(|| format!("server {server} has a lease, from tick {sent} on"));
        }
    }

    /// A server hears what comes next over its backplane.
    pub(super) fn hear(&mut self, server: usize) {
        let Some(backplane) = &mut self.servers[server].backplane else {
            return;
        };
        match backplane.queue.pop_front() {
            None => {}
            Some(Push::NotBefore) => {
                if let Some(renewal) = self.servers[server].renewal.take() {
                    self.credit(server, &renewal);
                }
            }
            Some(Push::Published {
                message: id,
                account,
                origin,
            }) => {
                let published = message(id, account, origin);
                self.tell(|| {
                    format!("server {server} hears the invalidation message of account {account}")
                });
                if self.wrong(LocalMutant::AckBeforeDrop) {
                    self.servers[server].to_drop = Some(account);
                } else {
                    self.servers[server].invalidate(account);
                }
                let knows = self.knows(server);
                if origin != server {
                    self.acks.push(Flying {
                        to: origin,
                        by: server,
                        ack: Acknowledgement {
                            message: published.id,
                            server: server_id(server),
                            knows,
                        },
                    });
                }
            }
        }
    }

    /// What was acknowledged is dropped, late.
    pub(super) fn drop_late(&mut self, server: usize) {
        if let Some(account) = self.servers[server].to_drop.take() {
            self.servers[server].invalidate(account);
            self.tell(|| format!("server {server} drops its copies of account {account}"));
        }
    }
}
