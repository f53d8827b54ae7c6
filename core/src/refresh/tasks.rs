use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::RefreshPolicy;
use crate::{
    EntryName, Error, ErrorKind, Result, SessionId, TokenCache, TokenSet, Version,
    telemetry::in_current_span,
    util::single_flight::{Shared, SingleFlight},
};

/// The largest number of pauses. Over it, new pauses are not recorded, and those providers are called again.
const MOST_PAUSED: usize = 10_000;

/// The refreshes of one process.
pub(crate) struct Refreshes {
    policy: RefreshPolicy,
    tasks: SingleFlight<RefreshKey, Result<TokenSet>>,
    paused: Mutex<HashMap<PauseName, Pause>>,
    ahead: Arc<Semaphore>,
}

/// The identity of a refresh task: the session, the entry whose refresh token is spent, and the entry that the tokens are for. Also the
/// version that the app rejected, if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RefreshKey {
    pub(super) session_id: SessionId,
    pub(super) spent: EntryName,
    pub(super) wanted: EntryName,
    pub(super) rejected: Option<Version>,
}

/// The subject of a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum PauseAbout {
    /// The refresh token: all requests that spend it.
    RefreshToken,
    /// The requested entry: the same refresh token may work for another resource.
    Wanted(EntryName),
    /// Rejections of the entry: it has just been refreshed because of one.
    Rejected(EntryName),
}

type PauseName = (SessionId, EntryName, PauseAbout);

/// The result of a refresh task, which arrives when the task ends.
pub(super) type PendingResult = Shared<Result<TokenSet>>;

/// Why and for how long the provider is not called.
#[derive(Clone)]
pub(super) struct Pause {
    pub(super) until: Instant,
    pub(super) error: Error,
    /// The version whose refresh token was sent: the pause ends when it is replaced. `None` if none was sent. For a rejection,
    /// the rejected version.
    pub(super) version: Option<Version>,
}

impl Refreshes {
    pub(crate) fn new(policy: RefreshPolicy) -> Self {
        Self {
            policy,
            tasks: SingleFlight::default(),
            paused: Mutex::default(),
            ahead: Arc::new(Semaphore::new(policy.ahead)),
        }
    }

    pub(super) fn policy(&self) -> &RefreshPolicy {
        &self.policy
    }

    /// Returns a permit for one more refresh in the background, if one is left.
    pub(super) fn background(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.ahead).try_acquire_owned().ok()
    }

    /// Records a pause: the provider is not called for this refresh until it ends.
    pub(super) fn pause(&self, name: RefreshKey, about: PauseAbout, pause: Pause) {
        let now = Instant::now();
        let mut paused = lock(&self.paused);
        if paused.len() >= MOST_PAUSED {
            paused.retain(|_, pause| pause.until > now);
        }
        if paused.len() < MOST_PAUSED {
            paused.insert((name.session_id, name.spent, about), pause);
        }
    }

    /// Returns the pause that applies to this refresh, if there is one.
    pub(super) fn paused(&self, name: RefreshKey) -> Option<(PauseAbout, Pause)> {
        let now = Instant::now();
        let mut paused = lock(&self.paused);
        for about in [PauseAbout::RefreshToken, PauseAbout::Wanted(name.wanted)] {
            let key = (name.session_id, name.spent, about);
            match paused.get(&key) {
                Some(pause) if pause.until > now => return Some((about, pause.clone())),
                Some(_) => drop(paused.remove(&key)),
                None => {}
            }
        }
        None
    }

    /// Returns the error of a rejection that comes too soon after a refresh that another rejection caused.
    pub(super) fn rejected_again(&self, name: RefreshKey) -> Option<Error> {
        let rejected = name.rejected?;
        let paused = lock(&self.paused);
        let about = PauseAbout::Rejected(name.wanted);
        let pause = paused.get(&(name.session_id, name.spent, about))?;
        // A caller that read before that refresh gets its result.
        let is_another = pause.version != Some(rejected);
        (is_another && pause.until > Instant::now()).then(|| pause.error.clone())
    }

    /// Ends a pause early.
    pub(super) fn end_pause(&self, name: RefreshKey, about: PauseAbout) {
        lock(&self.paused).remove(&(name.session_id, name.spent, about));
    }
}

impl TokenCache {
    /// Joins the refresh of this name that runs in this process, or starts one in a task of its own. The task continues when a
    /// caller is dropped (G4).
    pub(super) fn start_refresh<F>(
        &self,
        name: RefreshKey,
        start: impl FnOnce() -> F,
    ) -> Result<PendingResult>
    where
        F: Future<Output = Result<TokenSet>> + Send + 'static,
    {
        let runtime = Handle::try_current().map_err(|_| Error::no_runtime("refresh tokens"))?;
        let start = |()| in_current_span(start());
        let tasks = &self.refreshes().tasks;
        Ok(tasks.join_if(&runtime, name, |()| true, || (), start))
    }
}

/// Waits for a refresh task's result.
pub(super) async fn result(pending: PendingResult) -> Result<TokenSet> {
    pending.wait().await.unwrap_or_else(|| {
        Err(Error::new(ErrorKind::Unexpected, "refresh tokens")
            .message("its task panicked, or was stopped when the tokio runtime shut down")
            .maybe_applied())
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
