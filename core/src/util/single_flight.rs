use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{runtime::Handle, sync::watch};

/// Work that concurrent callers share. The first caller of a key starts it in a task of its own, so that it continues if that caller is
/// dropped. Callers of the same key join it, if their rule allows it.
///
/// `C` is what a caller's rule looks at: it is fixed when the work starts.
pub(crate) struct SingleFlight<K, V, C = ()>(Arc<Map<K, V, C>>);

type Map<K, V, C> = Mutex<HashMap<K, Running<V, C>>>;

/// Work that has been started and has not ended.
struct Running<V, C> {
    condition: C,
    result: watch::Receiver<Option<V>>,
}

/// The result of work, which arrives when the work ends.
pub(crate) struct Shared<V> {
    result: watch::Receiver<Option<V>>,
    /// `true` if another caller started the work.
    pub(crate) is_joined: bool,
}

impl<K, V, C> Default for SingleFlight<K, V, C> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, V, C> SingleFlight<K, V, C>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
    C: Copy + Send + Sync + 'static,
{
    /// Joins the running work of `key` if `may_join` is true of its condition. Otherwise starts `work` on `runtime`, under `condition`.
    /// It then takes the place of work that could not be joined, which continues for its own callers.
    pub(crate) fn join_if<F>(
        &self,
        runtime: &Handle,
        key: K,
        may_join: impl FnOnce(C) -> bool,
        condition: impl FnOnce() -> C,
        work: impl FnOnce(C) -> F,
    ) -> Shared<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let (sender, result) = watch::channel(None);
        let condition = {
            let mut running = lock(&self.0);
            let found = running.get(&key);
            if let Some(found) = found.filter(|found| may_join(found.condition)) {
                return Shared {
                    result: found.result.clone(),
                    is_joined: true,
                };
            }
            let condition = condition();
            let result = result.clone();
            running.insert(key.clone(), Running { condition, result });
            condition
        };
        let registration = Registration {
            running: Arc::clone(&self.0),
            key,
            result: result.clone(),
        };
        let work = work(condition);
        runtime.spawn(async move {
            let done = work.await;
            // Before its callers continue, so that none of them joins the same work again.
            drop(registration);
            sender.send_replace(Some(done));
        });
        Shared {
            result,
            is_joined: false,
        }
    }
}

impl<V: Clone> Shared<V> {
    /// Waits for the result. Returns `None` if the task panicked, or was stopped with its runtime.
    pub(crate) async fn wait(mut self) -> Option<V> {
        let done = self.result.wait_for(Option::is_some).await.ok()?;
        done.clone()
    }
}

/// Removes work from the running, however it ends.
struct Registration<K: Eq + Hash, V, C> {
    running: Arc<Map<K, V, C>>,
    key: K,
    result: watch::Receiver<Option<V>>,
}

impl<K: Eq + Hash, V, C> Drop for Registration<K, V, C> {
    fn drop(&mut self) {
        let mut running = lock(&self.running);
        // Other work may have taken the place, for callers that could not join this.
        let is_same = |found: &Running<V, C>| found.result.same_channel(&self.result);
        if running.get(&self.key).is_some_and(is_same) {
            running.remove(&self.key);
        }
    }
}

fn lock<K, V, C>(running: &Map<K, V, C>) -> MutexGuard<'_, HashMap<K, Running<V, C>>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K, V, C> fmt::Debug for SingleFlight<K, V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let running = lock(&self.0).len();
        f.debug_tuple("SingleFlight").field(&running).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    /// Work that ends when it is told to, and returns its number.
    struct Work {
        started: AtomicUsize,
        end: Notify,
    }

    impl Work {
        fn new() -> Arc<Self> {
            Arc::new(Self {
                started: AtomicUsize::new(0),
                end: Notify::new(),
            })
        }

        async fn run(self: Arc<Self>) -> usize {
            let number = self.started.fetch_add(1, Ordering::SeqCst) + 1;
            self.end.notified().await;
            number
        }
    }

    fn start(
        flights: &SingleFlight<u8, usize, u64>,
        work: &Arc<Work>,
        now: u64,
        may_join: impl FnOnce(u64) -> bool,
    ) -> Shared<usize> {
        let runtime = Handle::current();
        flights.join_if(&runtime, 1, may_join, || now, |_| Arc::clone(work).run())
    }

    #[tokio::test]
    async fn callers_join_the_work_that_runs_and_start_new_work_afterwards() {
        let (flights, work) = (SingleFlight::default(), Work::new());
        let first = start(&flights, &work, 0, |_| true);
        let second = start(&flights, &work, 0, |_| true);
        assert_eq!((first.is_joined, second.is_joined), (false, true));
        tokio::task::yield_now().await;
        work.end.notify_one();
        let results = tokio::join!(first.wait(), second.wait());
        assert_eq!(results, (Some(1), Some(1)));
        let third = start(&flights, &work, 0, |_| true);
        assert!(!third.is_joined);
        work.end.notify_one();
        assert_eq!(third.wait().await, Some(2));
    }

    /// The earlier work must not remove the later one when it ends.
    #[tokio::test]
    async fn work_that_may_not_be_joined_is_replaced_and_continues() {
        let (flights, work) = (SingleFlight::default(), Work::new());
        let old = start(&flights, &work, 1, |_| true);
        let new = start(&flights, &work, 2, |began| began >= 2);
        assert!(!new.is_joined);
        tokio::task::yield_now().await;
        work.end.notify_one();
        assert_eq!(old.wait().await, Some(1));
        let joined = start(&flights, &work, 3, |began| began >= 2);
        assert!(joined.is_joined);
        work.end.notify_one();
        assert_eq!((new.wait().await, joined.wait().await), (Some(2), Some(2)));
    }

    /// A key that notices, when work is removed by it, whether the result of the work was there already.
    #[derive(Clone, Default)]
    struct WatchfulKey(Arc<Seen>);

    #[derive(Default)]
    struct Seen {
        result: Mutex<Option<watch::Receiver<Option<usize>>>>,
        after_the_result: AtomicUsize,
    }

    impl PartialEq for WatchfulKey {
        fn eq(&self, _: &Self) -> bool {
            true
        }
    }

    impl Eq for WatchfulKey {}

    impl Hash for WatchfulKey {
        fn hash<H: std::hash::Hasher>(&self, _: &mut H) {
            let result = self.0.result.lock().unwrap();
            if result.as_ref().is_some_and(|it| it.borrow().is_some()) {
                self.0.after_the_result.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// A caller that may not take the result must not find the same work again.
    #[tokio::test]
    async fn work_leaves_the_map_before_its_result_is_there() {
        let flights = SingleFlight::<WatchfulKey, usize>::default();
        let (runtime, key) = (Handle::current(), WatchfulKey::default());
        let flight = flights.join_if(&runtime, key.clone(), |()| true, || (), |()| async { 7 });
        *key.0.result.lock().unwrap() = Some(flight.result.clone());
        assert_eq!(flight.wait().await, Some(7));
        assert_eq!(key.0.after_the_result.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_stops_nothing() {
        let (flights, work) = (SingleFlight::default(), Work::new());
        drop(start(&flights, &work, 0, |_| true));
        let joined = start(&flights, &work, 0, |_| true);
        tokio::task::yield_now().await;
        work.end.notify_one();
        assert_eq!(joined.wait().await, Some(1));
    }

    #[tokio::test]
    async fn a_panic_is_no_result_and_leaves_room_for_the_next() {
        let flights = SingleFlight::<u8, usize, u64>::default();
        let runtime = Handle::current();
        let panics = |_| async { panic!("a fault") };
        let failed = flights.join_if(&runtime, 1, |_| true, || 0, panics);
        assert_eq!(failed.wait().await, None);
        let next = flights.join_if(&runtime, 1, |_| true, || 0, |_| async { 7 });
        assert!(!next.is_joined);
        assert_eq!(next.wait().await, Some(7));
    }
}
