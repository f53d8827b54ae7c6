use std::{collections::BTreeMap, thread, time::Duration};

use super::{
    Failure,
    crew::Crew,
    stage::{Stage, Store},
};
use crate::{
    fleet::Random,
    servers::{Fault as LineFault, RedisServer},
};

/// What is done to the fleet and its store, one after another, at random.
#[derive(Debug)]
pub(super) struct Faults {
    random: Random,
    counts: BTreeMap<&'static str, usize>,
}

/// Longer than an operation may take, so that some time out.
const LONG: u64 = 2_500;
const SHORT: u64 = 150;

impl Faults {
    pub(super) fn new(random: Random) -> Self {
        Self {
            random,
            counts: BTreeMap::new(),
        }
    }

    pub(super) fn counts(&self) -> Vec<(&'static str, usize)> {
        self.counts
            .iter()
            .map(|(what, count)| (*what, *count))
            .collect()
    }

    /// How long everything works until the next fault.
    pub(super) fn calm(&mut self) -> Duration {
        Duration::from_millis(100 + self.random.below(600))
    }

    pub(super) fn strike(&mut self, stage: &mut Stage, crew: &Crew) -> Result<(), Failure> {
        if stage.lines.is_empty() || self.random.percent(40) {
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
        let commands = if stage.plain {
            ["SET", "DEL", "GET"]
        } else {
            // Writes and sign-outs are scripts, reads are not.
            ["EVALSHA", "EVALSHA", "HMGET"]
        };
        let command = commands[self.index(commands.len())];
        match self.random.below(4) {
            0 => {
                self.count("cut of all connections");
                line.cut();
            }
            1 => {
                self.count("cut in mid-request");
                line.on_next(command, LineFault::CutRequest);
            }
            2 => {
                self.count("answer lost");
                line.on_next(command, LineFault::DropReply);
            }
            _ => {
                self.count("silent network");
                line.freeze();
                self.wait();
                line.thaw();
            }
        }
    }

    fn strike_store(&mut self, stage: &mut Stage) -> Result<(), Failure> {
        match &mut stage.store {
            Store::Given => {}
            Store::Standalone(redis) => {
                if self.random.percent(40) {
                    self.count("kill -9 and restart of Redis");
                    redis.kill9()?;
                    self.wait();
                    redis.restart()?;
                } else {
                    self.disturb(redis)?;
                }
            }
            Store::Cluster(cluster) => {
                let at = self.index(cluster.nodes().len());
                self.disturb(&cluster.nodes()[at])?;
            }
            Store::Sentinel(setup) => self.disturb(setup.primary())?,
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
                redis.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])?;
            }
            _ => {
                self.count("pause of Redis");
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
