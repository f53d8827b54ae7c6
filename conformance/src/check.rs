use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::{runtime::Handle, sync::oneshot};

use crate::{Harness, Promise, Setup, Violation, negatives};

/// The time limit of a check.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// The future of a check. It runs on the thread that waits for it, so it need not be `Send`.
type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Violation>> + 'a>>;

/// One check of this suite: a test of a behaviour that every store must have. [`CHECKS`](crate::CHECKS) lists all checks.
///
/// [`main`](crate::main) runs each check as a test, and [`run_on`](Self::run_on) runs a single one.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Check {
    /// The name of the check: the required behaviour as a sentence in snake case, such as `an_empty_value_is_a_hit`. The test that runs the
    /// check has the name of the [`Harness`], `::` and this name.
    pub name: &'static str,
    /// The promise of token-cache that a store breaks if it fails the check. The [`Violation`] of a failed check names the promise.
    pub promise: Promise,
    /// The optional part of the store that the check needs, or [`Needs::Nothing`]. For a store without that part, the suite checks instead
    /// what works without it: see [`Needs`].
    pub needs: Needs,
    /// The effect on users if a store fails the check, such as "a user is locked out". The [`Violation`] of a failed check names this
    /// effect.
    pub hazard: &'static str,
    /// The function that runs the check.
    pub(crate) run: for<'a> fn(&'a Setup) -> Running<'a>,
}

/// The optional part of a store that a check needs, in the field [`Check::needs`].
///
/// If the store lacks the part, the behaviour of the [`Check`] is not tested. The suite tests instead that all calls work without the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Needs {
    /// The check needs no optional part, and runs on every store.
    Nothing,
    /// The check needs the backplane, which carries invalidation messages between app servers. A store has it if
    /// [`TokenStore::backplane`](token_cache_core::TokenStore::backplane) returns `Some`.
    Backplane,
}

/// The way in which a store passed a check: the `Ok` value of [`Check::run_on`]. A failed check is an error instead, a [`Violation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The store has the behaviour that the check requires.
    Passed,
    /// The store lacks the optional part that the check [needs](Check::needs), so the behaviour was not tested. The suite tested instead
    /// that the store and the cache work correctly without the part: see [`Needs`].
    Unsupported,
}

impl Check {
    /// Runs the check in a new namespace of the store that `harness` opens, for at most two minutes. Returns [`Outcome::Passed`], or
    /// [`Outcome::Unsupported`] if the store lacks the optional part that the check [needs](Self::needs).
    ///
    /// # Errors
    /// A [`Violation`] with the expected and the observed behaviour in these cases:
    /// - The store fails the check.
    /// - The check panics, or does not end within its time limit.
    /// - The harness cannot open the store. The check then fails, and is not skipped.
    ///
    /// # Panics
    /// Panics outside of a tokio runtime.
    pub async fn run_on(&self, harness: Arc<dyn Harness>) -> Result<Outcome, Violation> {
        self.run_within(TIME_LIMIT, harness).await
    }

    /// Runs the check like [`run_on`](Self::run_on), with the time limit `limit` instead of two minutes. If the check has not ended after
    /// `limit`, it fails.
    ///
    /// The check runs on a thread of its own, so a store that blocks its thread does not block the caller. After `limit`, the thread is
    /// abandoned and continues to run.
    ///
    /// # Errors
    /// As [`run_on`](Self::run_on).
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
