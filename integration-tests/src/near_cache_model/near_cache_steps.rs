//! Near-cache entries: populating reads, write-backs, and which entries may be served.

use super::{
    clock::{AGE, FRESH, Tick, with_drift},
    mutants::NearCacheMutant,
    scenario::Start,
    server::{Copied, Reading, Said, Writing, account_key},
    world::World,
};
use token_cache_core::near_cache::BootInstant;
use token_cache_near_cache::InvalidationCounter;

impl World<'_> {
    /// Returns `true` if a server would serve an entry with this counter now.
    pub(super) fn serves(
        &self,
        server: usize,
        account: usize,
        counter: InvalidationCounter,
        expires_at: Option<BootInstant>,
    ) -> bool {
        let (it, now) = (&self.servers[server], self.clock(server));
        let account = account_key(account);
        let counter = if self.wrong(NearCacheMutant::CounterUnchecked) {
            it.own_lease.counter(&account)
        } else {
            counter
        };
        let may = if self.wrong(NearCacheMutant::LeaseUnchecked) {
            it.own_lease.counter(&account) == counter
        } else {
            let before = it.remembers.lease_before.is_some_and(|until| now < until);
            it.own_lease.may_serve(&account, counter, || now)
                || (before && it.own_lease.counter(&account) == counter)
        };
        may && expires_at.is_none_or(|expires_at| now < expires_at)
            && (self.wrong(NearCacheMutant::ServesAtOnce) || self.every_origin_knows(server))
    }

    /// Returns `true` if every server knows by now that this one has a near cache.
    pub(super) fn every_origin_knows(&self, server: usize) -> bool {
        self.scenario.start != Start::Unsaid
            || matches!(self.servers[server].said, Said::From(from) if self.clock(server) >= from)
    }

    /// Returns `true` if a server may send a populating read.
    pub(super) fn may_fill(&self, server: usize) -> bool {
        self.every_origin_knows(server)
            || self.wrong(NearCacheMutant::ServesAtOnce)
            || self.wrong(NearCacheMutant::PopulatesAtOnce)
    }

    /// Returns `true` if a new caller may join a read in flight.
    pub(super) fn joins(&self, server: usize, account: usize, read: &Reading) -> bool {
        let expires_at = self.expires_at(server, read.sent);
        self.wrong(NearCacheMutant::JoinsWhatWasSent)
            || self.serves(server, account, read.counter, expires_at)
    }

    pub(super) fn expires_at(&self, server: usize, sent: Tick) -> Option<BootInstant> {
        let aged = !self.has_backplane();
        aged.then(|| self.servers[server].clock.at(sent) + AGE)
    }

    /// Returns the processes that a populating read may be sent to.
    pub(super) fn reads_at(&self, server: usize) -> Vec<usize> {
        let elsewhere = self.scenario.cluster
            || !self.has_backplane()
            || self.wrong(NearCacheMutant::PopulatesOverAnotherConnection);
        if elsewhere {
            return self.primaries();
        }
        let backplane = self.servers[server]
            .open_backplane()
            .filter(|backplane| backplane.told);
        backplane
            .map(|backplane| vec![backplane.process])
            .unwrap_or_default()
    }

    /// Sends a read, which the store answers at once. A later answer would only make the near-cache entry older.
    pub(super) fn send_read(&mut self, server: usize, account: usize, process: usize) {
        let sent = self.now;
        let it = &mut self.servers[server];
        let counter = it.own_lease.counter(&account_key(account));
        let found = self.processes[process].read(account);
        it.reads[account] = Some(Reading {
            counter,
            sent,
            process,
            found,
        });
        let word = found.map_or("nothing", |_| "tokens");
        self.tell(|| {
            format!("server {server} reads account {account}: primary {process} has {word}, the answer is in flight")
        });
    }

    /// Delivers the answer to a read, and populates the near cache.
    pub(super) fn populate(&mut self, server: usize, account: usize) {
        let Some(read) = self.servers[server].reads[account].take() else {
            return;
        };
        let from_receipt = self.wrong(NearCacheMutant::AgeFromReceipt);
        let sent = if from_receipt { self.now } else { read.sent };
        let expires_at = self.expires_at(server, sent);
        let late = self.wrong(NearCacheMutant::CounterAfterRead);
        let it = &mut self.servers[server];
        let counter = if late {
            it.own_lease.counter(&account_key(account))
        } else {
            read.counter
        };
        if let Some(tokens) = read.found {
            it.near_caches[account] = Some(Copied {
                tokens,
                counter,
                expires_at,
                from: read.process,
            });
        }
        self.tell(|| format!("server {server} has the answer to its read of account {account}"));
    }

    pub(super) fn send_write(&mut self, server: usize, account: usize) {
        let first = self.wrong(NearCacheMutant::WriteInvalidatesFirst);
        let it = &mut self.servers[server];
        if first {
            it.invalidate(account);
        }
        it.writes[account] = Writing::Sent;
        self.tell(|| format!("server {server} sends the result of a refresh of account {account}"));
    }

    pub(super) fn write(&mut self, server: usize, account: usize, process: usize) {
        let at = &mut self.processes[process];
        let it = &mut self.servers[server].writes[account];
        if at.ended[account] {
            *it = Writing::Done(0);
            self.tell(|| format!("server {server}'s write is refused: signed out"));
        } else {
            at.tokens[account] += 1;
            *it = Writing::Applied(at.tokens[account]);
            self.tell(|| format!("server {server}'s write arrives at primary {process}"));
        }
    }

    pub(super) fn answer_write(&mut self, server: usize, account: usize) {
        let Writing::Applied(tokens) = self.servers[server].writes[account] else {
            return;
        };
        let first = self.wrong(NearCacheMutant::WriteInvalidatesFirst);
        let populates = self.wrong(NearCacheMutant::WritePopulates);
        let it = &mut self.servers[server];
        it.writes[account] = Writing::Done(tokens);
        if !first {
            it.invalidate(account);
        }
        if populates {
            let counter = it.own_lease.counter(&account_key(account));
            it.near_caches[account] = Some(Copied {
                tokens,
                counter,
                expires_at: None,
                from: 0,
            });
        }
        self.tell(|| format!("server {server}'s write is answered"));
    }

    /// Records in the namespace's record that a server has a near cache.
    pub(super) fn say(&mut self, server: usize) {
        self.processes[0].near_caches_said = true;
        self.servers[server].said = Said::Applied;
        self.tell(|| format!("the namespace's record says that server {server} has a near cache"));
    }

    pub(super) fn said(&mut self, server: usize) {
        let from = self.clock(server) + with_drift(FRESH);
        self.servers[server].said = Said::From(from);
        self.tell(|| format!("server {server} learns that the record says so"));
    }

    /// Requests the namespace's record for a server.
    pub(super) fn ask(&mut self, server: usize) {
        self.servers[server].view.asked = Some(self.now);
        self.tell(|| format!("server {server} requests the namespace's record"));
    }

    pub(super) fn asked(&mut self, server: usize) {
        let says = self.processes[0].near_caches_said;
        let view = &mut self.servers[server].view;
        view.read = view.asked.take().map(|asked| (asked, says));
        let word = if says { "are in use" } else { "are not in use" };
        self.tell(|| format!("server {server} reads that near caches {word}"));
    }

    /// Returns `true` if a server has read the record recently enough.
    pub(super) fn knows_the_record(&self, server: usize) -> bool {
        let it = &self.servers[server];
        it.view.read.is_some_and(|(asked, _)| {
            let age = it.clock.at(self.now).since(it.clock.at(asked));
            age <= FRESH
        })
    }
}
