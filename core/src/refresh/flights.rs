use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::Instant,
};

use super::RefreshPolicy;
use crate::{
    EntryName, EpochHash, Error, ErrorKind, Result, TokenCache, TokenSet, Version, cache,
    telemetry::in_current_span,
};

/// The most entries whose provider is left alone at once; over it, who is paused is forgotten, and asked again.
const MOST_PAUSED: usize = 10_000;

/// The refreshes of one process.
pub(crate) struct Refreshes {
    policy: RefreshPolicy,
    flights: Mutex<HashMap<FlightName, Landing>>,
    paused: Mutex<HashMap<(EpochHash, EntryName), Pause>>,
    ahead: Arc<Semaphore>,
}

/// What a flight refreshes: a session, the entry whose refresh token it spends, the entry it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FlightName {
    pub(super) epoch: EpochHash,
    pub(super) spent: EntryName,
    pub(super) wanted: EntryName,
}

/// Where a flight's result is to be had.
pub(super) type Landing = watch::Receiver<Option<Result<TokenSet>>>;

/// Why, for how long and for what the provider is left alone.
pub(super) struct Pause {
    pub(super) until: Instant,
    pub(super) error: Error,
    /// The version whose refresh failed; none where it holds whatever is there by then.
    pub(super) version: Option<Version>,
}

impl Refreshes {
    pub(crate) fn new(policy: RefreshPolicy) -> Self {
        Self {
            policy,
            flights: Mutex::default(),
            paused: Mutex::default(),
            ahead: Arc::new(Semaphore::new(policy.ahead)),
        }
    }

    pub(super) fn policy(&self) -> &RefreshPolicy {
        &self.policy
    }

    /// The right to one more refresh in the background, if there is one left.
    pub(super) fn background(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.ahead).try_acquire_owned().ok()
    }

    /// Leaves the provider alone for this entry.
    pub(super) fn pause(&self, name: FlightName, pause: Pause) {
        let now = Instant::now();
        let mut paused = lock(&self.paused);
        if paused.len() >= MOST_PAUSED {
            paused.retain(|_, pause| pause.until > now);
        }
        if paused.len() < MOST_PAUSED {
            paused.insert((name.epoch, name.spent), pause);
        }
    }

    /// Why the provider is left alone for this entry, if it is; `found` is the version of it that is due, where that is known.
    pub(super) fn paused(&self, name: FlightName, found: Option<Version>) -> Option<Error> {
        let mut paused = lock(&self.paused);
        let pause = paused.get(&(name.epoch, name.spent))?;
        let is_of_another = pause
            .version
            .zip(found)
            .is_some_and(|(failed, found)| failed != found);
        if pause.until > Instant::now() && !is_of_another {
            return Some(pause.error.clone());
        }
        paused.remove(&(name.epoch, name.spent));
        None
    }

    fn forget(&self, name: FlightName) {
        lock(&self.flights).remove(&name);
    }
}

impl TokenCache {
    /// Joins the refresh of this name that is under way in this process, or starts one in a task of its own: whoever goes
    /// away stops nothing (G4).
    pub(super) fn fly<F>(&self, name: FlightName, start: impl FnOnce() -> F) -> Result<Landing>
    where
        F: Future<Output = Result<TokenSet>> + Send + 'static,
    {
        let runtime = cache::runtime("refresh tokens")?;
        let mut flights = lock(&self.refreshes().flights);
        if let Some(landing) = flights.get(&name) {
            return Ok(landing.clone());
        }
        let (landed, landing) = watch::channel(None);
        flights.insert(name, landing.clone());
        let airspace = Airspace {
            cache: self.clone(),
            name,
        };
        let flight = start();
        runtime.spawn(in_current_span(async move {
            let _airspace = airspace;
            landed.send_replace(Some(flight.await));
        }));
        Ok(landing)
    }
}

/// Waits for a flight's result.
pub(super) async fn result(mut landing: Landing) -> Result<TokenSet> {
    let lost = || {
        Error::new(ErrorKind::Unexpected, "refresh tokens")
            .message("its task was stopped with the runtime")
            .maybe_applied()
    };
    let landed = landing
        .wait_for(Option::is_some)
        .await
        .map_err(|_| lost())?;
    landed.clone().unwrap_or_else(|| Err(lost()))
}

/// Leaves the map when the flight is over, however it ends.
struct Airspace {
    cache: TokenCache,
    name: FlightName,
}

impl Drop for Airspace {
    fn drop(&mut self) {
        self.cache.refreshes().forget(self.name);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
