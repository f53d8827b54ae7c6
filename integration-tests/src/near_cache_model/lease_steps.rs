//! Backplane connections and leases: connecting, renewing, and receiving messages.

use std::collections::VecDeque;

use token_cache_core::{Acknowledgement, RegistryId};

use super::{
    clock::LEASE,
    mutants::NearCacheMutant,
    scenario::Start,
    server::{Connection, Push, Renewal, message, registry_id, server_id},
    world::{Flying, World},
};

impl World<'_> {
    /// Opens a server's backplane connection to a process, and subscribes.
    pub(super) fn connect(&mut self, server: usize, process: usize) {
        let late_forgets = self.wrong(NearCacheMutant::VouchesForTheConnectionBefore);
        let lease_stays = self.wrong(NearCacheMutant::LeaseOutlivesConnection)
            || self.wrong(NearCacheMutant::LeaseRunsWhileConnecting);
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
        self.tell(|| {
            format!(
                "server {server} subscribes, on a new backplane connection to primary {process}"
            )
        });
    }

    /// Notifies the server's lease of the connection.
    pub(super) fn told(&mut self, server: usize) {
        let now = self.now;
        let cached_reads_stay = self.wrong(NearCacheMutant::CachedReadsOutliveConnection);
        let lease_ends = self.wrong(NearCacheMutant::LeaseRunsWhileConnecting);
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
        self.tell(|| {
            format!("server {server} has its backplane open: its near-cache entries are invalid")
        });
        if !self.servers[server].keeps {
            let registry = self.registry(process).id;
            self.sees(server, registry_id(registry));
        }
    }

    /// Records that a server without a near cache has read the registry's id.
    pub(super) fn sees(&mut self, server: usize, registry: RegistryId) {
        let now = self.clock(server);
        let tick = self.now;
        let it = &mut self.servers[server];
        if let Some(number) = it.backplane.as_ref().and_then(|backplane| backplane.number) {
            it.own_lease.saw(number, registry, now);
            it.remembers.knew(registry, tick);
        }
    }

    /// Sends a renewal, which arrives at once. A later arrival would only make the lease shorter.
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
        if self.wrong(NearCacheMutant::RenewalsCountedPerServer) {
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
            backplane.queue.push_back(Push::Renewed);
        }
        self.tell(|| format!("server {server}'s renewal arrives at primary {process}"));
    }

    /// Answers a renewal of an earlier connection.
    pub(super) fn answer_late(&mut self, server: usize) {
        if let Some(late) = self.servers[server].late.take() {
            let current = self.servers[server].backplane.as_ref();
            let number = if self.wrong(NearCacheMutant::LateRenewalCredited) {
                current.and_then(|backplane| backplane.number)
            } else {
                late.number
            };
            self.tell(|| format!("server {server} learns that its earlier renewal succeeded"));
            self.credit(server, &Renewal { number, ..late });
        }
    }

    /// Delivers the reply to a renewal, before the messages that were published earlier. It must have no effect.
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
        let from_receipt = self.wrong(NearCacheMutant::LeaseFromReceipt);
        let cached_reads_stay = self.wrong(NearCacheMutant::CachedReadsOutliveConnection);
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

    /// Delivers the next message on a server's backplane.
    pub(super) fn hear(&mut self, server: usize) {
        let Some(backplane) = &mut self.servers[server].backplane else {
            return;
        };
        match backplane.queue.pop_front() {
            None => {}
            Some(Push::Renewed) => {
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
                    format!(
                        "server {server} receives the invalidation message of account {account}"
                    )
                });
                if self.wrong(NearCacheMutant::AckBeforeDrop) {
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

    /// Drops, late, the near-cache entries that were acknowledged as dropped.
    pub(super) fn drop_late(&mut self, server: usize) {
        if let Some(account) = self.servers[server].to_drop.take() {
            self.servers[server].invalidate(account);
            self.tell(|| {
                format!("server {server} drops its near-cache entries of account {account}")
            });
        }
    }
}
