use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{runtime::Handle, sync::watch};

use super::partition::Validity;
use crate::{Error, ErrorKind, Result, telemetry::in_current_span};

type Answer<T> = watch::Receiver<Option<Result<T>>>;

/// The reads in flight, which concurrent callers share. Each read runs in a task of its own, so a caller that is cancelled does not stop it
/// for the others.
pub(super) struct Reads<K, T>(Mutex<HashMap<K, Flight<T>>>);

/// A read that was sent or is about to be.
struct Flight<T> {
    validity: Validity,
    answer: Answer<T>,
}

impl<K, T> Reads<K, T> {
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<K, Flight<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, T> fmt::Debug for Reads<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reads").field(&self.flights().len()).finish()
    }
}

impl<K, T> Reads<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// Returns the result of `send`, or of a read in flight with the same key. A read that was sent earlier is shared only if its result
    /// may be served as a near-cache entry now (G1).
    ///
    /// A caller that joins a read gets its result only if `cached` is true for it. Otherwise another read is sent, or joined, so that a put
    /// on another server in the meantime is not missed.
    pub(super) async fn read<F>(
        self: &Arc<Self>,
        key: K,
        validity: impl Fn() -> Validity,
        may_serve: impl Fn(Validity) -> bool,
        send: impl Fn(Validity) -> F,
        cached: impl Fn(&Result<T>) -> bool,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let (answer, joined) = self.join_or_send(&key, &validity, may_serve, &send)?;
        let answered = wait(answer).await;
        if !joined || cached(&answered) {
            return answered;
        }
        // Any read that is in flight now was sent after this caller arrived.
        let (answer, _) = self.join_or_send(&key, &validity, |_| true, &send)?;
        wait(answer).await
    }

    fn join_or_send<F>(
        self: &Arc<Self>,
        key: &K,
        validity: impl FnOnce() -> Validity,
        may_join: impl FnOnce(Validity) -> bool,
        send: impl FnOnce(Validity) -> F,
    ) -> Result<(Answer<T>, bool)>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let runtime = Handle::try_current().map_err(|_| Error::no_runtime("read an entry"))?;
        let (answering, answer) = watch::channel(None);
        let validity = {
            let mut flights = self.flights();
            let flight = flights.get(key);
            if let Some(flight) = flight.filter(|flight| may_join(flight.validity)) {
                return Ok((flight.answer.clone(), true));
            }
            let validity = validity();
            let answer = answer.clone();
            flights.insert(key.clone(), Flight { validity, answer });
            validity
        };
        let landing = Landing {
            reads: Arc::clone(self),
            key: key.clone(),
            answer: answer.clone(),
        };
        let read = send(validity);
        runtime.spawn(in_current_span(async move {
            let answered = read.await;
            drop(landing);
            // All callers may have been cancelled.
            let _ = answering.send(Some(answered));
        }));
        Ok((answer, false))
    }
}

/// Removes a read from those in flight, however it ends.
struct Landing<K: Eq + Hash, T> {
    reads: Arc<Reads<K, T>>,
    key: K,
    answer: Answer<T>,
}

impl<K: Eq + Hash, T> Drop for Landing<K, T> {
    fn drop(&mut self) {
        let mut flights = self.reads.flights();
        // Another read may have replaced this one, for callers that could not join it.
        if flights
            .get(&self.key)
            .is_some_and(|flight| flight.answer.same_channel(&self.answer))
        {
            flights.remove(&self.key);
        }
    }
}

async fn wait<T: Clone>(mut answer: Answer<T>) -> Result<T> {
    match answer.wait_for(Option::is_some).await.as_deref() {
        Ok(Some(answered)) => answered.clone(),
        Ok(None) | Err(_) => Err(Error::new(ErrorKind::Unexpected, "read an entry").message(
            "its task panicked, or was stopped when the tokio runtime shut down; repeat the read",
        )),
    }
}
