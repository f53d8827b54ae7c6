use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::{runtime::Handle, sync::oneshot};

use crate::{Harness, Promise, Setup, Violation, negatives};

/// How long a check may take.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// A check under way. It is run on the thread that waits for it, so it need not be `Send`.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Violation>> + 'a>>;

/// One behaviour that a store must show.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Check {
    /// A sentence; the name of its function.
    pub name: &'static str,
    /// What it guards.
    pub promise: Promise,
    /// The optional part it is about.
    pub needs: Needs,
    /// What happens to users where it fails.
    pub hazard: &'static str,
    /// The check itself.
    pub run: for<'a> fn(&'a Setup) -> Running<'a>,
}

/// The optional part of a store that a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Needs {
    /// None.
    Nothing,
    /// [`SidIndex`](token_cache_core::SidIndex).
    SidIndex,
    /// [`RefreshLocks`](token_cache_core::RefreshLocks).
    RefreshLocks,
    /// [`BackgroundSessions`](token_cache_core::BackgroundSessions).
    BackgroundSessions,
    /// [`Link`](token_cache_core::Link).
    Link,
}

/// How a check was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Met {
    /// The store shows the behaviour.
    Shown,
    /// The store lacks the part, and says so where it is asked for it.
    Absent,
}

impl Check {
    /// Runs the check in a fresh namespace; where the store lacks the part, the check that it says so. It takes two minutes at
    /// most.
    ///
    /// # Errors
    /// What was expected and what was seen instead, also where there is no store.
    ///
    /// # Panics
    /// When there is no tokio runtime.
    pub async fn run_on(&self, harness: Arc<dyn Harness>) -> Result<Met, Violation> {
        self.run_within(TIME_LIMIT, harness).await
    }

    /// Runs the check and fails when it does not end within `limit`.
    ///
    /// The check runs on a thread of its own, so that a store that blocks its thread cannot hang the caller. That thread is
    /// abandoned when the limit is over.
    ///
    /// # Errors
    /// As [`run_on`](Self::run_on).
    ///
    /// # Panics
    /// When there is no tokio runtime.
    pub async fn run_within(
        &self,
        limit: Duration,
        harness: Arc<dyn Harness>,
    ) -> Result<Met, Violation> {
        let (check, runtime) = (*self, Handle::current());
        let (answer, answered) = oneshot::channel();
        std::thread::spawn(move || {
            // The caller may have gone away.
            let _ = answer.send(runtime.block_on(check.run(harness)));
        });
        let why = match tokio::time::timeout(limit, answered).await {
            Ok(Ok(met)) => return met,
            Ok(Err(_)) => "it panicked",
            Err(_) => "it still runs, or waits for what never comes",
        };
        Err(self.broken(Violation::new(
            format!("an end within {} s", limit.as_secs()),
            why,
        )))
    }

    async fn run(&self, harness: Arc<dyn Harness>) -> Result<Met, Violation> {
        let setup = Setup::new(harness).await?;
        let broken = |violation| self.broken(violation);
        if self.needs.are_met_by(&setup) {
            (self.run)(&setup).await.map_err(broken)?;
            return Ok(Met::Shown);
        }
        negatives::run(self.needs, &setup).await.map_err(broken)?;
        Ok(Met::Absent)
    }

    fn broken(&self, violation: Violation) -> Violation {
        violation.breaking(self.promise, self.hazard)
    }
}

impl Needs {
    fn are_met_by(self, setup: &Setup) -> bool {
        match self {
            Self::Nothing => true,
            Self::SidIndex => setup.store().sid_index().is_some(),
            Self::RefreshLocks => setup.store().refresh_locks().is_some(),
            Self::BackgroundSessions => setup.store().background_sessions().is_some(),
            Self::Link => setup.store().link().is_some(),
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .field("promise", &self.promise)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}
