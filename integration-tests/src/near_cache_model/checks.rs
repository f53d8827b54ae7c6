//! Checks of the promises in every state.

use super::{
    clock::{LEASE, with_drift},
    mutants::NearCacheMutant,
    scenario::Start,
    server::{Copied, Push, Writing, account_key, server_id},
    store::ACCOUNTS,
    world::{Stage, World},
};

impl World<'_> {
    /// Removes state that can never be served again.
    pub(super) fn forget_the_dead(&mut self) {
        if self.scenario.wrong.is_some_and(NearCacheMutant::revives) {
            return;
        }
        let aged = |it: &super::server::Server, expires_at: Option<_>| {
            expires_at.is_some_and(|expires_at| it.clock.at(self.now) >= expires_at)
        };
        for server in 0..self.servers.len() {
            for account in 0..ACCOUNTS {
                let it = &self.servers[server];
                let counter = it.own_lease.counter(&account_key(account));
                let dead = |copy: &Copied| copy.counter != counter || aged(it, copy.expires_at);
                let cached_read_expired = it.near_caches[account].as_ref().is_some_and(dead);
                let read_dead = it.reads[account].as_ref().is_some_and(|read| {
                    read.found.is_none()
                        || read.counter != counter
                        || aged(it, self.expires_at(server, read.sent))
                });
                if cached_read_expired {
                    self.servers[server].near_caches[account] = None;
                }
                if read_dead {
                    self.servers[server].reads[account] = None;
                }
            }
        }
    }

    pub(super) fn violation(&self) -> Option<String> {
        self.final_everywhere()
            .or_else(|| self.own_writes_are_read())
            .or_else(|| self.no_sign_out_waits_in_vain())
    }

    /// After a sign-out has returned, no server may serve the account's tokens to a new caller.
    fn final_everywhere(&self) -> Option<String> {
        for (server, it) in self.servers.iter().enumerate() {
            for account in (0..ACCOUNTS).filter(|account| self.over[*account]) {
                if let Some(copy) = &it.near_caches[account]
                    && self.serves(server, account, copy.counter, copy.expires_at)
                    && !self.is_split_brains(server, copy.from, account)
                {
                    return Some(format!(
                        "G1: server {server} serves a near-cache entry of account {account}, which is signed out"
                    ));
                }
                if let Some(read) = &it.reads[account]
                    && read.found.is_some()
                    && self.joins(server, account, read)
                    && !self.is_split_brains(server, read.process, account)
                {
                    return Some(format!(
                        "G1: a caller that asks server {server} for account {account} now joins a read sent before the sign-out"
                    ));
                }
            }
        }
        let over = |account: &usize| self.over[*account];
        let lives = |account: usize| {
            let mut acting = self.primaries().into_iter();
            acting.any(|at| !self.processes[at].ended[account])
        };
        let split = self.scenario.start == Start::Split;
        let mut revived = (0..ACCOUNTS).filter(over).filter(|a| !split && lives(*a));
        let account = revived.next()?;
        Some(format!(
            "G1: the store has tokens of account {account}, which is signed out"
        ))
    }

    /// Returns `true` if a split brain explains that an entry read from `process` is served.
    ///
    /// Either the store has two primaries, and `process` has not signed the account out: it would answer the same. Or `process` was a
    /// primary until less than a lease ago, granted this server its lease, and is still connected to the server's backplane.
    fn is_split_brains(&self, server: usize, process: usize, account: usize) -> bool {
        let it = &self.servers[server];
        let at = &self.processes[process];
        let lately = at.stopped.is_none_or(|stopped| {
            let gone = it.clock.at(self.now).since(it.clock.at(stopped));
            let linked = it
                .backplane
                .as_ref()
                .is_some_and(|backplane| backplane.process == process);
            gone < LEASE && linked && it.remembers.lease_of == process
        });
        self.scenario.start == Start::Split && !at.ended[account] && lately
    }

    /// After a write, the same server reads its own write or a later one.
    fn own_writes_are_read(&self) -> Option<String> {
        for (server, it) in self.servers.iter().enumerate() {
            for account in 0..ACCOUNTS {
                let Writing::Done(tokens) = it.writes[account] else {
                    continue;
                };
                let old = |copy: &&Copied| copy.tokens < tokens;
                let copy = it.near_caches[account].as_ref().filter(old);
                if copy.is_some_and(|c| self.serves(server, account, c.counter, c.expires_at)) {
                    return Some(format!(
                        "G4: server {server} serves an entry that it has itself replaced"
                    ));
                }
                let read = it.reads[account].as_ref();
                let old = read.filter(|read| {
                    read.found.is_some_and(|found| found < tokens)
                        && self.joins(server, account, read)
                });
                if old.is_some() {
                    return Some(format!(
                        "G4: a caller that asks server {server} now joins a read sent before its own write"
                    ));
                }
            }
        }
        None
    }

    /// A sign-out ends at its bound, and earlier if nothing hinders it. It does not wait for a server that was reaped.
    fn no_sign_out_waits_in_vain(&self) -> Option<String> {
        for sign_out in &self.sign_outs {
            let Stage::Clearing { ack_wait, received } = &sign_out.stage else {
                continue;
            };
            let by = sign_out.act.by;
            let clock = self.servers[by].clock;
            let waited = clock.at(self.now).since(clock.at(*received));
            if waited > with_drift(LEASE) {
                return Some(format!("server {by} waits longer than its bound"));
            }
            if !sign_out.settled {
                continue;
            }
            if !ack_wait.is_whole() {
                return Some(format!(
                    "server {by} wrongly takes the registry to be young"
                ));
            }
            if self.faults < self.scenario.faults {
                continue;
            }
            for silent in ack_wait.silent() {
                let id = ack_wait.message();
                let flying = self.acks.iter();
                let mut flying = flying.filter(|flying| flying.ack.message == id);
                let servers = self.servers.iter().enumerate();
                let mut to_hear = servers.filter(|(server, it)| {
                    let queue = it.backplane.iter().flat_map(|backplane| &backplane.queue);
                    let mut queue = queue.filter(
                        |push| matches!(push, Push::Published { message, .. } if *message == id),
                    );
                    server_id(*server) == silent.server && queue.next().is_some()
                });
                if !flying.any(|flying| flying.ack.server == silent.server)
                    && to_hear.next().is_none()
                {
                    return Some(format!("server {by} waits for an answer that never comes"));
                }
            }
        }
        self.waits_for_the_reaped()
    }

    fn waits_for_the_reaped(&self) -> Option<String> {
        let registries = self.processes.iter().filter_map(|at| at.registry.as_ref());
        for registry in registries.filter(|_| !self.processes[1].began) {
            for (server, own_lease) in registry.holders.iter().enumerate() {
                if own_lease.is_some() && self.reaped[server] {
                    return Some(format!(
                        "server {server} was waited for in vain, and will be once more"
                    ));
                }
            }
        }
        None
    }
}

impl NearCacheMutant {
    /// Returns `true` if a near-cache entry that seems invalid may be served again under the mutant.
    fn revives(self) -> bool {
        matches!(
            self,
            Self::CounterAfterRead | Self::CounterUnchecked | Self::JoinsWhatWasSent
        )
    }
}
