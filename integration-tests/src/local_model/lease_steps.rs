//! Links and leases: opening, renewing, hearing.

use std::collections::VecDeque;

use token_cache_core::{Acknowledgement, RegistryId};

use super::{
    clock::LEASE,
    mutants::LocalMutant,
    scenario::Start,
    server::{Connection, Push, Renewal, announcement, registry_id, server_id},
    world::{Flying, World},
};

impl World<'_> {
    /// A server opens its link to a process, and listens.
    pub(super) fn connect(&mut self, server: usize, process: usize) {
        let late_forgets = self.wrong(LocalMutant::VouchesForTheConnectionBefore);
        let lease_stays = self.wrong(LocalMutant::LeaseOutlivesConnection)
            || self.wrong(LocalMutant::LeaseRunsWhileConnecting);
        let split = self.scenario.start == Start::Split;
        let it = &mut self.servers[server];
        if lease_stays {
            it.remembers.lease_before = it.holder.lease_until();
        }
        let number = (!late_forgets).then(|| it.holder.connecting());
        it.late = it.renewal.take().filter(|_| split);
        it.link = Some(Connection {
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
        let copies_stay = self.wrong(LocalMutant::CopiesOutliveConnection);
        let lease_ends = self.wrong(LocalMutant::LeaseRunsWhileConnecting);
        let it = &mut self.servers[server];
        if lease_ends {
            it.remembers.lease_before = None;
        }
        let good = it.stamps();
        let Some(link) = &mut it.link else { return };
        let number = link.number.unwrap_or_else(|| it.holder.connecting());
        link.number = Some(number);
        link.told = true;
        it.holder.connected(number);
        it.remembers.connected = now;
        let process = link.process;
        if copies_stay {
            it.restamp(&good);
        }
        self.tell(|| format!("server {server} has its link open: its copies are dead"));
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
        if let Some(number) = it.link.as_ref().and_then(|link| link.number) {
            it.holder.saw(number, registry, now);
            it.remembers.knew(registry, tick);
        }
    }

    /// A renewal is sent, and lands. It may land later than it was sent, which only makes the lease shorter.
    pub(super) fn renew(&mut self, server: usize) {
        let sent = self.now;
        let Some(link) = &self.servers[server].link else {
            return;
        };
        let (connection, process) = (link.number, link.process);
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
        if let Some(link) = &mut it.link {
            link.queue.push_back(Push::NotBefore);
        }
        self.tell(|| format!("server {server}'s renewal lands at primary {process}"));
    }

    /// A renewal of an earlier connection is answered.
    pub(super) fn answer_late(&mut self, server: usize) {
        if let Some(late) = self.servers[server].late.take() {
            let current = self.servers[server].link.as_ref();
            let number = if self.wrong(LocalMutant::LateRenewalCredited) {
                current.and_then(|link| link.number)
            } else {
                late.number
            };
            self.tell(|| format!("server {server} hears that its renewal of before succeeded"));
            self.credit(server, &Renewal { number, ..late });
        }
    }

    /// The reply to a renewal comes, before what was announced: it means nothing.
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
        let copies_stay = self.wrong(LocalMutant::CopiesOutliveConnection);
        let it = &mut self.servers[server];
        let sent = if from_receipt {
            now
        } else {
            it.clock.at(renewal.sent)
        };
        let good = it.stamps();
        let before = it.holder.lease_until();
        it.holder
            .renewed(number, registry_id(registry), LEASE, sent, now);
        it.remembers.knew(registry_id(registry), tick);
        if copies_stay {
            it.restamp(&good);
        }
        if it.holder.lease_until() != before {
            it.remembers.lease_of = renewal.process;
            let sent = renewal.sent;
            self.tell(|| format!("server {server} has a lease, from tick {sent} on"));
        }
    }

    /// A server hears what comes next over its link.
    pub(super) fn hear(&mut self, server: usize) {
        let Some(link) = &mut self.servers[server].link else {
            return;
        };
        match link.queue.pop_front() {
            None => {}
            Some(Push::NotBefore) => {
                if let Some(renewal) = self.servers[server].renewal.take() {
                    self.credit(server, &renewal);
                }
            }
            Some(Push::Announced {
                announcement: id,
                account,
                signer,
            }) => {
                let announced = announcement(id, account, signer);
                self.tell(|| {
                    format!("server {server} hears the announcement of account {account}")
                });
                if self.wrong(LocalMutant::AckBeforeDrop) {
                    self.servers[server].to_drop = Some(account);
                } else {
                    self.servers[server].invalidate(account);
                }
                let knows = self.knows(server);
                if signer != server {
                    self.acks.push(Flying {
                        to: signer,
                        by: server,
                        ack: Acknowledgement {
                            announcement: announced.id,
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
