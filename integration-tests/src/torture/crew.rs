use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Failure, Options,
    near_cache::{self, Role},
};
use crate::{
    fleet::{Load, Program, Random, RefreshSettings, Server, Settings, StartError, Users},
    history::{self, Logged},
};

/// The app servers of a run. Each has a load of its own.
#[derive(Debug)]
pub(super) struct Crew {
    program: Program,
    slots: Vec<Mutex<Slot>>,
    logs: PathBuf,
    tasks: u32,
    users: Users,
    numbers: AtomicU64,
    seeds: Mutex<Random>,
}

#[derive(Debug)]
struct Slot {
    server: Arc<Server>,
    settings: Settings,
    at_once: bool,
}

impl Crew {
    pub(super) fn start(
        options: &Options,
        urls: &[String],
        logs: PathBuf,
        tasks: u32,
        seed: u64,
    ) -> Result<Self, Failure> {
        let mut seeds = Random::new(seed);
        let secret = format!(
            "{:032x}",
            u128::from(Random::unseeded().number()) | (1 << 127)
        );
        let mut crew = Self {
            program: options.program.clone(),
            slots: Vec::new(),
            logs,
            tasks,
            users: near_cache::users(options),
            numbers: AtomicU64::default(),
            seeds: Mutex::new(Random::new(seeds.number())),
        };
        for (at, url) in urls.iter().enumerate() {
            let settings = Settings {
                url: url.clone(),
                secret: secret.clone(),
                design: options.design,
                log: None,
                refresh: RefreshSettings::default(),
            };
            let at_once = Role::of(at, options).signs_out_at_once();
            let server = Arc::new(crew.launch(&settings, at_once)?);
            let slot = Slot {
                server,
                settings,
                at_once,
            };
            crew.slots.push(Mutex::new(slot));
        }
        Ok(crew)
    }

    fn launch(&self, settings: &Settings, at_once: bool) -> Result<Server, StartError> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let settings = Settings {
            log: Some(self.log(number)),
            ..settings.clone()
        };
        let server = Server::start(&self.program, &settings)?;
        let seed = lock(&self.seeds).number();
        let started = server
            .load(Load {
                seed,
                tasks: self.tasks,
                users: self.users,
                at_once,
            })
            .wait();
        match started {
            Some(_) => Ok(server),
            None => Err(StartError::Broken(
                "the app server exited before its load began".to_owned(),
            )),
        }
    }

    fn log(&self, number: u64) -> PathBuf {
        self.logs.join(format!("server-{number}.log"))
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn server(&self, at: usize) -> Arc<Server> {
        Arc::clone(&lock(&self.slots[at]).server)
    }

    /// Kills the app server number `at` and starts another. While faults last, that may need several attempts.
    pub(super) fn replace(&self, at: usize) -> Result<(), StartError> {
        let mut slot = lock(&self.slots[at]);
        slot.server.kill9();
        let mut attempts = 0;
        loop {
            match self.launch(&slot.settings, slot.at_once) {
                Ok(server) => {
                    slot.server = Arc::new(server);
                    return Ok(());
                }
                // The store may be restarting.
                Err(StartError::Refused { .. }) if attempts < 20 => attempts += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends every app server the sessions that the others have begun.
    pub(super) fn relay(&self) {
        let servers: Vec<Arc<Server>> = (0..self.len()).map(|at| self.server(at)).collect();
        for (at, server) in servers.iter().enumerate() {
            for known in server.begun() {
                for (_, other) in servers.iter().enumerate().filter(|(other, _)| *other != at) {
                    other.learn(known.clone());
                }
            }
        }
    }

    /// Ends the load and reads the whole history.
    pub(super) fn stop(self) -> Result<Logged, Failure> {
        let servers: Vec<Arc<Server>> = (0..self.len()).map(|at| self.server(at)).collect();
        let stopping: Vec<_> = servers.iter().map(|server| server.stop_load()).collect();
        for pending in stopping {
            if pending.wait().is_none() {
                return Err(Failure::Start(StartError::Broken(
                    "the app server exited before its load was stopped".to_owned(),
                )));
            }
        }
        let mut all = Logged::default();
        for number in 0..self.numbers.load(Ordering::Relaxed) {
            let path = self.log(number);
            if path.exists() {
                let logged = history::read(&path, u32::try_from(number).unwrap_or(u32::MAX))?;
                all.events.extend(logged.events);
                for (name, count) in logged.figures {
                    *all.figures.entry(name).or_default() += count;
                }
            }
        }
        Ok(all)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
