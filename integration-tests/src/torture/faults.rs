use std::{collections::BTreeMap, thread, time::Duration};

use super::{
    Failure,
    backplane_faults::BackplaneFaults,
    crew::Crew,
    stage::{Stage, Store},
};
use crate::{
    fleet::Random,
    servers::{
        ApiFault, DynamoDbProxy, Fault as LineFault, Line, OwnStore, READS, RedisServer, Step,
        WRITES,
    },
};

/// The random faults of the fleet and its store.
#[derive(Debug)]
pub(super) struct Faults {
    random: Random,
    counts: BTreeMap<&'static str, usize>,
    /// `None` if no app server of the run depends on a backplane.
    links: Option<BackplaneFaults>,
}

/// Longer than an operation may take, so that some operations time out.
const LONG: u64 = 2_500;
const SHORT: u64 = 150;

impl Faults {
    pub(super) fn new(random: Random, links: Option<BackplaneFaults>) -> Self {
        Self {
            random,
            counts: BTreeMap::new(),
            links,
        }
    }

    pub(super) fn counts(&self) -> Vec<(&'static str, usize)> {
        self.counts
            .iter()
            .map(|(what, count)| (*what, *count))
            .collect()
    }

    /// Returns the time without faults until the next one.
    pub(super) fn calm(&mut self) -> Duration {
        Duration::from_millis(100 + self.random.below(600))
    }

    pub(super) fn strike(&mut self, stage: &mut Stage, crew: &Crew) -> Result<(), Failure> {
        let links_alone = self.links.is_some_and(|links| links.alone);
        if stage.lines.is_empty() || (!links_alone && self.random.percent(40)) {
            if matches!(stage.store, Store::Given) || self.random.percent(60) {
                self.strike_crew(crew)
            } else {
                self.strike_store(stage)
            }
        } else {
            self.strike_line(stage);
            Ok(())
        }
    }

    fn strike_crew(&mut self, crew: &Crew) -> Result<(), Failure> {
        let at = self.index(crew.len());
        if self.random.percent(50) {
            self.count("kill -9 of an app server");
            crew.replace(at)?;
        } else {
            self.count("pause of an app server");
            let server = crew.server(at);
            server.pause();
            self.wait();
            server.resume();
        }
        Ok(())
    }

    fn strike_line(&mut self, stage: &Stage) {
        let line = &stage.lines[self.index(stage.lines.len())];
        if let Line::DynamoDb(proxy) = line
            && self.random.percent(60)
        {
            self.strike_api(proxy);
            return;
        }
        if let (Line::Redis(proxy), Some(links)) = (line, self.links)
            && (links.alone || self.random.percent(70))
        {
            let struck = links.strike(&mut self.random, proxy);
            self.count(struck);
            return;
        }
        match self.random.below(4) {
            0 => {
                self.count("all connections closed");
                line.cut();
            }
            1 => {
                self.count("connection closed in mid-request");
                self.break_next(line, stage.plain, LineFault::CutRequest);
            }
            2 => {
                self.count("answer lost");
                self.break_next(line, stage.plain, LineFault::DropReply);
            }
            _ => {
                self.count("silent network");
                line.freeze();
                self.wait();
                line.thaw();
            }
        }
    }

    fn break_next(&mut self, line: &Line, plain: bool, fault: LineFault) {
        match line {
            Line::Redis(proxy) if plain => {
                let commands = ["SET", "DEL", "GET"];
                proxy.on_next(commands[self.index(commands.len())], fault);
            }
            _ => {
                let change = self.random.percent(66);
                line.on_next(if change { Step::Change } else { Step::Read }, fault);
            }
        }
    }

    /// Faults that AWS causes and no engine does.
    fn strike_api(&mut self, proxy: &DynamoDbProxy) {
        match self.random.below(6) {
            0 => {
                self.count("throttled for a while");
                let codes = [
                    "ProvisionedThroughputExceededException",
                    "ThrottlingException",
                    "RequestLimitExceeded",
                ];
                proxy.always(&[], ApiFault::Code(codes[self.index(codes.len())]));
                self.wait();
                proxy.calm();
            }
            1 => {
                self.count("status 500");
                let actions = if self.random.percent(66) {
                    WRITES
                } else {
                    READS
                };
                proxy.on_next(actions, ApiFault::Status(500));
            }
            2 => {
                self.count("unprocessed keys");
                let count = self.index(2) + 1;
                proxy.on_next(&["BatchGetItem"], ApiFault::Unprocessed(count));
            }
            3 => {
                self.count("write delivered twice");
                proxy.on_next_conditional(WRITES, ApiFault::Twice);
            }
            4 => {
                self.count("late duplicate");
                proxy.on_next_conditional(WRITES, ApiFault::Duplicate);
                self.wait();
                // A duplicate that finds the engine down is lost, as duplicates may be.
                let _ = proxy.deliver_duplicates();
            }
            _ => {
                self.count("slow write");
                let by = Duration::from_millis(self.random.below(2 * SHORT));
                proxy.on_next(WRITES, ApiFault::Slow(by));
            }
        }
    }

    fn strike_store(&mut self, stage: &mut Stage) -> Result<(), Failure> {
        match &mut stage.store {
            Store::Given => {}
            Store::Own(store) => {
                if self.random.percent(40) {
                    self.count("kill -9 and restart of the store");
                    store.kill9()?;
                    self.wait();
                    store.restart()?;
                } else if let OwnStore::Redis(redis) = store {
                    self.disturb(redis)?;
                } else {
                    self.count("pause of the store");
                    store.pause()?;
                    self.wait();
                    store.resume()?;
                }
            }
            Store::Cluster(cluster) => {
                let at = self.index(cluster.nodes().len());
                if self.random.percent(25) {
                    self.count("failover");
                    cluster.fail_over(at)?;
                } else {
                    self.disturb(&cluster.nodes()[at])?;
                }
            }
            Store::Sentinel(setup) => {
                if self.links.is_some() && self.random.percent(25) {
                    self.count("failover");
                    setup.fail_over()?;
                } else {
                    self.disturb(setup.serving()?)?;
                }
            }
        }
        Ok(())
    }

    fn disturb(&mut self, redis: &RedisServer) -> Result<(), Failure> {
        match self.random.below(3) {
            0 => {
                self.count("SCRIPT FLUSH");
                redis.cli(&["SCRIPT", "FLUSH"])?;
            }
            1 => {
                self.count("CLIENT KILL of all");
                // A backplane connection is not `normal`: it has subscribed.
                for kind in ["normal", "pubsub"] {
                    redis.cli(&["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"])?;
                }
            }
            _ => {
                self.count("pause of the store");
                redis.pause()?;
                self.wait();
                redis.resume()?;
            }
        }
        Ok(())
    }

    fn wait(&mut self) {
        let most = if self.random.percent(25) { LONG } else { SHORT };
        thread::sleep(Duration::from_millis(self.random.below(most)));
    }

    fn index(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(1).max(1);
        usize::try_from(self.random.below(count)).unwrap_or_default()
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}
