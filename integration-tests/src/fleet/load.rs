mod actor;
mod pool;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::JoinSet;

use self::{actor::Actor, pool::Pool};
use super::{
    app::App,
    random::Random,
    wire::{Known, Load},
};
use crate::history::Log;

/// A load under way: tasks that sign in, read, refresh and sign out at random, and log what they do.
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
            begun: Box::new(begun),
        });
        let mut seeds = Random::new(load.seed);
        let mut tasks = JoinSet::new();
        for _ in 0..load.tasks {
            let actor = Actor::new(Arc::clone(&shared), Random::new(seeds.number()));
            tasks.spawn(actor.act());
        }
        Self { tasks, shared }
    }

    /// A session that another app server has begun: its browser comes here as well.
    pub(super) fn learn(&self, known: Known) {
        self.shared.pool.add(known);
    }

    /// Ends the load; each task finishes what it is doing.
    pub(super) async fn stop(mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
    }
}
