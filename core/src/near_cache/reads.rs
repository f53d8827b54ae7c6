use std::{fmt, hash::Hash};

use tokio::runtime::Handle;

use super::partition::Validity;
use crate::{
    Error, ErrorKind, Result,
    telemetry::in_current_span,
    util::single_flight::{Shared, SingleFlight},
};

/// The running reads, which concurrent callers share.
pub(super) struct Reads<K, T>(SingleFlight<K, Result<T>, Validity>);

impl<K, T> Reads<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    pub(super) fn new() -> Self {
        Self(SingleFlight::default())
    }

    /// Returns the result of `send`, or of a running read with the same key. A read that was sent earlier is shared only if its result
    /// may be served as a near-cache entry now (G1).
    ///
    /// A caller that joins a read gets its result only if `cached` is true for it. Otherwise another read is sent, or joined, so that a put
    /// on another server in the meantime is not missed.
    pub(super) async fn read<F>(
        &self,
        key: K,
        validity: impl Fn() -> Validity,
        may_serve: impl Fn(Validity) -> bool,
        send: impl Fn(Validity) -> F,
        cached: impl Fn(&Result<T>) -> bool,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let runtime = Handle::try_current().map_err(|_| Error::no_runtime("read an entry"))?;
        let send = |validity| in_current_span(send(validity));
        let read = self
            .0
            .join_if(&runtime, key.clone(), may_serve, &validity, send);
        let is_joined = read.is_joined;
        let answered = answer(read).await;
        if !is_joined || cached(&answered) {
            return answered;
        }
        // Any read that runs now was sent after this caller arrived.
        answer(self.0.join_if(&runtime, key, |_| true, &validity, send)).await
    }
}

impl<K, T> fmt::Debug for Reads<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

async fn answer<T: Clone>(read: Shared<Result<T>>) -> Result<T> {
    read.wait().await.unwrap_or_else(|| {
        Err(Error::new(ErrorKind::Unexpected, "read an entry").message(
            "its task panicked, or was stopped when the tokio runtime shut down; repeat the read",
        ))
    })
}
