use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use super::partition::Validity;
use crate::{Error, ErrorKind, Result, cache::runtime, telemetry::in_current_span};

type Answer<T> = watch::Receiver<Option<Result<T>>>;

/// Reads that are under way, and who shares them. A read runs in a task of its own: a caller that goes away stops nobody's.
pub(super) struct Reads<K, T>(Mutex<HashMap<K, Flight<T>>>);

/// A read that was sent, or is about to be.
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
    /// What `send` answers, or a read that is under way: one that was sent already only where what it answers may be served as a copy
    /// at this moment (G1).
    ///
    /// Only what is `kept` is shared with who came after the read was sent: a put on another server, since then, is not to be missed.
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
        // Whatever is under way now was sent after this caller came.
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
        let runtime = runtime("read an entry")?;
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
            // There may be nobody left who waits.
            let _ = answering.send(Some(answered));
        }));
        Ok((answer, false))
    }
}

/// Takes a read out of those that are under way, however it ends.
struct Landing<K: Eq + Hash, T> {
    reads: Arc<Reads<K, T>>,
    key: K,
    answer: Answer<T>,
}

impl<K: Eq + Hash, T> Drop for Landing<K, T> {
    fn drop(&mut self) {
        let mut flights = self.reads.flights();
        // Another may have been sent for those who could not join this one.
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
        Ok(None) | Err(_) => Err(Error::new(ErrorKind::Unexpected, "read an entry")
            .message("its task was stopped with the runtime")),
    }
}
