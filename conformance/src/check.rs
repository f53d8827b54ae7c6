use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::{runtime::Handle, sync::oneshot};

use crate::{Harness, Promise, Setup, Violation, negatives};

/// The time limit of a check.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// The future of a check. It runs on the thread that waits for it, so it need not be `Send`.
type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Violation>> + 'a>>;

/// One check of the suite: a behaviour that every store must have. [`CHECKS`](crate::CHECKS) contains all of them. [`main`](crate::main)
/// runs them as tests, and [`run_on`](Self::run_on) runs a single one.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Check {
    /// The name of the check: a sentence in snake case.
    pub name: &'static str,
    /// The promise that the check guards. A [`Violation`] names it.
    pub promise: Promise,
    /// The optional part of the store that the check needs. A store without it must return `Unsupported` instead.
    pub needs: Needs,
    /// The effect on users if a store fails the check, such as "a user is locked out". A [`Violation`] names it.
    pub hazard: &'static str,
    /// The function that runs the check.
    pub(crate) run: for<'a> fn(&'a Setup) -> Running<'a>,
}

/// The optional part of a store that a check needs. If the store lacks it, the check instead tests the errors that the store and the cache
/// then return. It is the field [`Check::needs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Needs {
    /// No optional part: the check runs on every store.
    Nothing,
    /// The index from `sid` to accounts: [`TokenStore::sid_index`](token_cache_core::TokenStore::sid_index) returns `Some`.
    SidIndex,
    /// The locks of refreshes: [`TokenStore::refresh_locks`](token_cache_core::TokenStore::refresh_locks) returns `Some`.
    RefreshLocks,
    /// The sessions for jobs without a ticket: [`TokenStore::background_sessions`](token_cache_core::TokenStore::background_sessions)
    /// returns `Some`.
    BackgroundSessions,
    /// The connection for invalidation messages: [`TokenStore::backplane`](token_cache_core::TokenStore::backplane) returns `Some`.
    Backplane,
}

/// The way in which a store passed a check. It is the `Ok` value of [`Check::run_on`]. Both variants are a pass; a failed check is the
/// error [`Violation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The store has the optional part that the check needs, or the check needs none, and the store has the behaviour.
    Passed,
    /// The store lacks the optional part, so the behaviour was not checked. Instead, it was checked that calls of that part return the
    /// error `Unsupported`, and that the other calls work.
    Unsupported,
}

impl Check {
    /// Runs the check in a new namespace of the harness's store, for at most two minutes.
    ///
    /// If the store lacks the optional part that the check [needs](Self::needs), it is checked instead that the store returns
    /// `Unsupported`.
    ///
    /// # Errors
    /// A [`Violation`] with the expected and the observed behaviour in these cases:
    /// - The store fails the check.
    /// - The check panics, or does not end in time.
    /// - The harness has no store. A check is never skipped.
    ///
    /// # Panics
    /// Panics outside of a tokio runtime.
    pub async fn run_on(&self, harness: Arc<dyn Harness>) -> Result<Outcome, Violation> {
        self.run_within(TIME_LIMIT, harness).await
    }

    /// Runs the check like [`run_on`](Self::run_on), for at most `limit`. After `limit` the check fails.
    ///
    /// The check runs on a thread of its own, so that a store that blocks its thread does not block the caller. After `limit` the thread is
    /// abandoned, and continues to run.
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
