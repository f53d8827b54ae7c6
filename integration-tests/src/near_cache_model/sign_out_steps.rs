//! Sign-outs: the eviction, its invalidation message, the wait, and the reaping of silent servers.

use token_cache_core::{InvalidationId, Published, near_cache::BootInstant};

use super::{
    clock::{AGE, with_drift},
    mutants::NearCacheMutant,
    scenario::Start,
    server::{Push, registry_id, server_id},
    world::{SignOut, Stage, World},
};

impl World<'_> {
    /// Sends a sign-out, if there is no backplane.
    pub(super) fn send(&mut self, number: usize) {
        let by = self.sign_outs[number].act.by;
        let view = self.servers[by].view.read;
        self.sign_outs[number].sent = Some((self.now, view.is_some_and(|(_, says)| says)));
        self.tell(|| format!("server {by} sends its eviction"));
    }

    /// Delivers the first or only request of a sign-out.
    pub(super) fn sign_out(&mut self, number: usize, process: usize) {
        let act = self.sign_outs[number].act;
        if !self.has_backplane() {
            self.end(number, process);
            self.sign_outs[number].stage = Stage::Landed {
                published: None,
                process,
            };
        } else if self.wrong(NearCacheMutant::RegistryReadBeforeEviction) {
            let published = self.publish(number, self.backplane_of(act.by));
            self.sign_outs[number].stage = Stage::Half(Some(published));
        } else if self.scenario.cluster {
            self.end(number, process);
            self.sign_outs[number].stage = Stage::Half(None);
        } else {
            let ended = self.end(number, process);
            let silent = !ended && self.wrong(NearCacheMutant::NothingIsNotPublished);
            let published = (!silent).then(|| self.publish(number, process));
            self.sign_outs[number].stage = Stage::Landed { published, process };
        }
    }

    /// Delivers the second request of a sign-out on a cluster.
    pub(super) fn second(&mut self, number: usize) {
        let by = self.sign_outs[number].act.by;
        let process = self.backplane_of(by);
        let Stage::Half(published) = self.sign_outs[number].stage.clone() else {
            return;
        };
        let published = if published.is_some() {
            let accounts = self.primaries()[0];
            self.end(number, accounts);
            published
        } else {
            Some(self.publish(number, process))
        };
        self.sign_outs[number].stage = Stage::Landed { published, process };
    }

    fn backplane_of(&self, server: usize) -> usize {
        let backplane = self.servers[server].backplane.as_ref();
        backplane.map_or(0, |backplane| backplane.process)
    }

    fn end(&mut self, number: usize, process: usize) -> bool {
        let account = self.sign_outs[number].act.account;
        let by = self.sign_outs[number].act.by;
        let ended = !std::mem::replace(&mut self.processes[process].ended[account], true);
        let word = if ended {
            "arrives"
        } else {
            "ends nothing more"
        };
        self.tell(|| {
            format!("server {by}'s eviction of account {account} {word} at primary {process}")
        });
        ended
    }

    fn publish(&mut self, number: usize, process: usize) -> Published {
        let act = self.sign_outs[number].act;
        let id = self.message_id(number);
        for backplane in self.listeners(process) {
            backplane.queue.push_back(Push::Published {
                message: id,
                account: act.account,
                origin: act.by,
            });
        }
        let same = self.wrong(NearCacheMutant::RegistryOfAnotherProcess)
            || self.backplane_of(act.by) == process && self.servers[act.by].backplane.is_some();
        let registry = self.registry(process);
        let (name, holders) = (registry.id, registry.holders());
        let others = registry
            .holders
            .iter()
            .enumerate()
            .filter_map(|(server, renewal)| renewal.map(|_| server))
            .filter(|server| *server != act.by);
        let others: Vec<usize> = others.collect();
        self.tell(|| format!("it is published; of the others, {others:?} hold leases"));
        Published {
            id,
            registry: same.then(|| registry_id(name)),
            holders,
        }
    }

    /// Returns the id that a sign-out is published under.
    fn message_id(&self, number: usize) -> InvalidationId {
        let sending = if self.wrong(NearCacheMutant::OneIdForAllSendings) {
            0
        } else {
            self.sign_outs[number].sendings
        };
        let mut id = [0; 16];
        id[0] = u8::try_from(number).unwrap_or_default();
        id[1] = sending;
        InvalidationId::from_bytes(id)
    }

    /// Returns `true` if a sign-out may be sent. The mutant checks before it whether near caches are in use.
    pub(super) fn may_send(&self, server: usize) -> bool {
        !self.wrong(NearCacheMutant::NearCachesAskedForFirst) || self.knows_the_record(server)
    }

    /// Returns `true` if a sign-out's answer may come. If it published nothing, it first checks whether near caches are in use.
    pub(super) fn may_answer(&self, number: usize) -> bool {
        let asks = self.scenario.start == Start::Unsaid
            && !self.wrong(NearCacheMutant::NearCachesAskedForFirst);
        !asks || self.knows_the_record(self.sign_outs[number].act.by)
    }

    /// Returns `true` if near caches are in use, as far as the server that signs out knows.
    fn are_reads_cached(&self, number: usize) -> bool {
        let SignOut { act, sent, .. } = &self.sign_outs[number];
        if self.scenario.start == Start::NoBackplane {
            return true;
        }
        if self.wrong(NearCacheMutant::NearCachesAskedForFirst) {
            return sent.is_some_and(|(_, kept)| kept);
        }
        let view = self.servers[act.by].view;
        view.read.is_some_and(|(_, says)| says)
    }

    /// Returns the start of the wait for the maximum age: the answer to the eviction.
    fn waits_from(&self, number: usize) -> BootInstant {
        let SignOut { act, sent, .. } = &self.sign_outs[number];
        let from_sent = sent.filter(|_| self.wrong(NearCacheMutant::AgeWaitedFromSending));
        let from = from_sent.map_or(self.now, |(at, _)| at);
        self.servers[act.by].clock.at(from)
    }

    /// Delivers the answer to the server that signs out.
    pub(super) fn answer(&mut self, number: usize) {
        let act = self.sign_outs[number].act;
        let Stage::Landed { published, .. } = self.sign_outs[number].stage.clone() else {
            return;
        };
        self.tell(|| format!("server {} has its answer", act.by));
        if !self.wrong(NearCacheMutant::OriginKeepsItsOwn) {
            self.servers[act.by].invalidate(act.account);
        }
        self.sign_outs[number].stage = match published {
            Some(published) => {
                if let (Some(registry), false) = (published.registry, self.servers[act.by].keeps) {
                    self.sees(act.by, registry);
                }
                let mut ack_wait = self.ack_wait(act.by, published);
                for early in &self.sign_outs[number].early {
                    ack_wait.acknowledged(early);
                }
                let faultless = self.faults == self.scenario.faults;
                self.sign_outs[number].settled = faultless && self.scenario.start == Start::Settled;
                Stage::Clearing {
                    ack_wait,
                    received: self.now,
                }
            }
            None if self.has_backplane() || !self.are_reads_cached(number) => Stage::Over,
            None => Stage::Aging {
                until: self.waits_from(number) + with_drift(AGE),
            },
        };
    }

    /// Delivers an acknowledgement.
    pub(super) fn acknowledged(&mut self, which: usize) {
        let flying = self.acks.remove(which);
        for sign_out in &mut self.sign_outs {
            if sign_out.act.by != flying.to {
                continue;
            }
            match &mut sign_out.stage {
                Stage::Clearing { ack_wait, .. } => ack_wait.acknowledged(&flying.ack),
                Stage::Idle | Stage::Over | Stage::Aging { .. } => {}
                _ => sign_out.early.push(flying.ack),
            }
        }
        let (to, by) = (flying.to, flying.by);
        self.tell(|| format!("server {to} has server {by}'s acknowledgement"));
    }

    /// Removes the acknowledgements that have no effect whenever they arrive.
    pub(super) fn forget_what_nobody_waits_for(&mut self) {
        let open = |number: &usize| !matches!(self.sign_outs[*number].stage, Stage::Over);
        let awaited: Vec<_> = (0..self.sign_outs.len())
            .filter(open)
            .map(|number| self.message_id(number))
            .collect();
        self.acks
            .retain(|flying| awaited.contains(&flying.ack.message));
    }

    /// Lets every sign-out return that does not wait any more.
    pub(super) fn return_finished_sign_outs(&mut self) {
        for number in 0..self.sign_outs.len() {
            let SignOut { act, stage, .. } = &self.sign_outs[number];
            let (act, now) = (*act, self.clock(act.by));
            let silent = match stage {
                Stage::Clearing { ack_wait, .. } if ack_wait.is_over(now) => {
                    ack_wait.silent().to_vec()
                }
                Stage::Aging { until } if now >= *until => Vec::new(),
                Stage::Over if !self.over[act.account] => Vec::new(),
                _ => continue,
            };
            let last = !self
                .sign_outs
                .iter()
                .any(|other| matches!(other.stage, Stage::Idle | Stage::Sent));
            if !silent.is_empty() && !last {
                self.reaps.push(silent);
            }
            self.sign_outs[number].stage = Stage::Over;
            self.sign_outs[number].early.clear();
            self.over[act.account] = true;
            self.tell(|| format!("server {}: account {} is signed out", act.by, act.account));
        }
    }

    /// Removes silent servers from the registry, unless they have renewed.
    pub(super) fn reap(&mut self, which: usize, process: usize) {
        let silent = self.reaps.remove(which);
        for row in silent {
            let server = self.servers.iter().enumerate();
            let server = server.map(|(number, _)| number);
            let Some(server) = server.into_iter().find(|s| server_id(*s) == row.server) else {
                continue;
            };
            let stays = self.wrong(NearCacheMutant::ReapMissing);
            let entry = &mut self.registry(process).holders[server];
            if *entry == Some(row.renewal) {
                if !stays {
                    *entry = None;
                }
                self.reaped[server] = true;
                self.tell(|| format!("server {server} is reaped at primary {process}"));
            }
        }
    }
}
