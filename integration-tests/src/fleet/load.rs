mod actor;
mod mix;
mod pool;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinSet, time::sleep};

use self::{actor::Actor, mix::Mix, pool::Pool};
use super::{
    app::App,
    figures::Counted,
    random::Random,
    wire::{Known, Load},
};
use crate::history::Log;

const COUNT: Duration = Duration::from_millis(100);

/// A load in progress: tasks that sign in, read, refresh and sign out at random, and log what they do.
pub(super) struct Loaded {
    tasks: JoinSet<()>,
    shared: Arc<Shared>,
}

/// What the tasks of a load share.
struct Shared {
    app: Arc<App>,
    log: Arc<Log>,
    pool: Pool,
    stopping: AtomicBool,
    at_once: bool,
    counted: Option<Counted>,
    begun: Box<dyn Fn(Known) + Send + Sync>,
}

impl Loaded {
    pub(super) fn start(
        load: Load,
        app: Arc<App>,
        log: Arc<Log>,
        begun: impl Fn(Known) + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            app,
            log,
            pool: Pool::default(),
            stopping: AtomicBool::new(false),
            at_once: load.at_once,
            counted: Counted::install(),
            begun: Box::new(begun),
        });
        let mut seeds = Random::new(load.seed);
        let mut tasks = JoinSet::new();
        for task in 0..load.tasks {
            let mix = Mix::of(load.users, task);
            let random = Random::new(seeds.number());
            tasks.spawn(Actor::new(Arc::clone(&shared), random, mix).act());
        }
        tasks.spawn(Arc::clone(&shared).count());
        Self { tasks, shared }
    }

    /// Adds a session that another app server has begun. Its browser sends requests here as well.
    pub(super) fn learn(&self, known: Known) {
        self.shared.pool.add(known);
    }

    /// Ends the load. Each task finishes its operation.
    pub(super) async fn stop(mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        self.shared.log_figures();
    }
}

impl Shared {
    /// Logs what is counted at short intervals, so that little of it is lost if the process is killed.
    async fn count(self: Arc<Self>) {
        while !self.stopping.load(Ordering::Relaxed) {
            self.log_figures();
            sleep(COUNT).await;
        }
    }

    fn log_figures(&self) {
        if let Some(counted) = &self.counted
            && let Err(error) = self.log.counted(counted.since_last())
        {
            actor::die(&error);
        }
    }
}
