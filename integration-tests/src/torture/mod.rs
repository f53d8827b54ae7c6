//! A fleet under random load, with faults: processes and servers are killed, paused and disconnected. The whole history is checked.

mod backplane_faults;
mod crew;
mod faults;
mod near_cache;
mod stage;

use std::{
    fmt,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

pub use self::near_cache::NearCacheFigures;
use self::{crew::Crew, faults::Faults, stage::Stage};
use crate::{
    fleet::{Design, Program, Random, StartError},
    history::{LogError, Report, Rules, check},
    servers::ServerError,
};

/// The options of a run.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "the program's arguments")]
pub struct Options {
    /// Duration of the run.
    pub time: Duration,
    /// URL of the store. If `None`, the run starts a store, to which it also applies faults.
    pub url: Option<String>,
    /// Topology of the store that the run starts.
    pub topology: Topology,
    /// The cache that the app servers use.
    pub design: Design,
    /// `true` if all app servers but one have near caches.
    pub near_cache: bool,
    /// Number of app servers.
    pub processes: usize,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Program of an app server.
    pub program: Program,
    /// Directory for the app servers' logs. If `None`, they are deleted.
    pub logs: Option<PathBuf>,
}

/// Topology of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[expect(clippy::exhaustive_enums, reason = "the program's argument")]
pub enum Topology {
    /// One Redis
    Standalone,
    /// Redis Cluster of three masters, each with a replica
    Cluster,
    /// A Redis primary with a replica, watched by Sentinels
    Sentinel,
    /// One DynamoDB engine
    #[value(name = "dynamodb")]
    DynamoDb,
}

/// The result of a run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Tortured {
    /// Description of the store.
    pub store: String,
    /// The faults, and how often each occurred.
    pub faults: Vec<(&'static str, usize)>,
    /// The result of the check.
    pub report: Report,
    /// What the app servers counted of their near caches.
    pub near_caches: NearCacheFigures,
}

/// The reason why a run has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// A server did not start or did not obey a command.
    Server(ServerError),
    /// An app server did not start.
    Start(StartError),
    /// A part of the history cannot be read.
    Log(LogError),
    /// A file cannot be created.
    File(std::io::Error),
}

const TASKS: u32 = 8;
const RELAY: Duration = Duration::from_millis(5);

/// Runs the fleet and checks the history.
///
/// # Errors
/// The run failed. That says nothing about the promises.
pub fn run(options: &Options) -> Result<Tortured, Failure> {
    let mut random = Random::new(options.seed);
    let mut stage = Stage::set(options)?;
    let folder = tempfile::Builder::new()
        .prefix("token-cache-torture-")
        .tempdir()
        .map_err(Failure::File)?;
    let logs = options
        .logs
        .clone()
        .unwrap_or_else(|| folder.path().to_owned());
    let crew = Crew::start(options, stage.urls(), logs, TASKS, random.number())?;
    let over = AtomicBool::new(false);
    let mut faults = Faults::new(random, near_cache::backplane_faults(options));
    let struck = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                crew.relay();
                thread::sleep(RELAY);
            }
        });
        let struck = strike(options.time, &mut faults, &mut stage, &crew);
        over.store(true, Ordering::Relaxed);
        struck
    });
    struck?;
    let logged = crew.stop()?;
    let rules = match (options.design.is_ours(), options.topology) {
        (false, _) => Rules::FINAL,
        // A failover may lose acknowledged writes. A sign-out is on the replica before it returns `Ok`.
        (true, Topology::Sentinel) => Rules::LOSING,
        (true, _) => Rules::ALL,
    };
    let rules = if options.near_cache {
        near_cache::with_near_cache(rules, options.topology)
    } else {
        rules
    };
    Ok(Tortured {
        store: stage.to_string(),
        faults: faults.counts(),
        report: check(&logged.events, rules),
        near_caches: NearCacheFigures::of(&logged.figures),
    })
}

fn strike(
    time: Duration,
    faults: &mut Faults,
    stage: &mut Stage,
    crew: &Crew,
) -> Result<(), Failure> {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(faults.calm().min(left));
        faults.strike(stage, crew)?;
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => error.fmt(f),
            Self::Start(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Self::Server(error)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}
