use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::{runtime::Handle, sync::oneshot};

use crate::{Harness, Promise, Setup, Violation, negatives};

/// The time limit of a check.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// The future of a check. It runs on the thread that waits for it, so it need not be `Send`.
type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Violation>> + 'a>>;

/// A behaviour that every store must have.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Check {
    /// The name: a sentence in snake case.
    pub name: &'static str,
    /// The promise that the check guards.
    pub promise: Promise,
    /// The optional part of the store that the check needs.
    pub needs: Needs,
    /// The effect on users if a store fails the check.
    pub hazard: &'static str,
    /// The function that runs the check.
    pub(crate) run: for<'a> fn(&'a Setup) -> Running<'a>,
}

/// The optional part of a store that a check needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Needs {
    /// No optional part.
    Nothing,
    /// [`SidIndex`](token_cache_core::SidIndex).
    SidIndex,
    /// [`RefreshLocks`](token_cache_core::RefreshLocks).
    RefreshLocks,
    /// [`BackgroundSessions`](token_cache_core::BackgroundSessions).
    BackgroundSessions,
    /// [`Backplane`](token_cache_core::Backplane).
    Backplane,
}

/// How a check passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The store has the behaviour.
    Passed,
    /// The store lacks the optional part, and returns `Unsupported` when it is asked for it.
    Unsupported,
}

impl Check {
    /// Runs the check in a new namespace, for at most two minutes.
    ///
    /// If the store lacks the optional part, checks instead that it returns `Unsupported`.
    ///
    /// # Errors
    /// Returns the expected and the observed behaviour if the store fails the check, and also if the harness has no store.
    ///
    /// # Panics
    /// Panics outside of a tokio runtime.
    pub async fn run_on(&self, harness: Arc<dyn Harness>) -> Result<Outcome, Violation> {
        self.run_within(TIME_LIMIT, harness).await
    }

    /// Runs the check, and fails if it does not end within `limit`.
    ///
    /// The check runs on a thread of its own, so that a store that blocks its thread does not block the caller. After `limit` the thread
    /// is abandoned.
    ///
    /// # Errors
    /// Returns the same errors as [`run_on`](Self::run_on).
    ///
    /// # Panics
    /// Panics outside of a tokio runtime.
    pub async fn run_within(
        &self,
        limit: Duration,
        harness: Arc<dyn Harness>,
    ) -> Result<Outcome, Violation> {
        let (check, runtime) = (*self, Handle::current());
        let (answer, answered) = oneshot::channel();
        std::thread::spawn(move || {
            // The caller may have gone away.
            let _ = answer.send(runtime.block_on(check.run(harness)));
        });
        let why = match tokio::time::timeout(limit, answered).await {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(_)) => "it panicked",
            Err(_) => "it is still running",
        };
        Err(self.broken(Violation::new(
            format!("an end within {} s", limit.as_secs()),
            why,
        )))
    }

    async fn run(&self, harness: Arc<dyn Harness>) -> Result<Outcome, Violation> {
        let setup = Setup::new(harness).await?;
        let broken = |violation| self.broken(violation);
        if self.needs.are_met_by(&setup) {
            (self.run)(&setup).await.map_err(broken)?;
            return Ok(Outcome::Passed);
        }
        negatives::run(self.needs, &setup).await.map_err(broken)?;
        Ok(Outcome::Unsupported)
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
            Self::Backplane => setup.store().backplane().is_some(),
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
