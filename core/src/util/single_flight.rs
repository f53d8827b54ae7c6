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
pub struct SingleFlight<K, V, C = ()>(Arc<Map<K, V, C>>);

type Map<K, V, C> = Mutex<HashMap<K, Running<V, C>>>;

/// Work that has been started and has not ended.
struct Running<V, C> {
    condition: C,
    answers: watch::Receiver<Option<V>>,
}

/// The answers of work to one of its callers. Most work answers once, when it ends.
#[derive(Debug)]
pub struct Shared<V> {
    answers: watch::Receiver<Option<V>>,
    /// `true` if another caller started the work.
    pub is_joined: bool,
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
    pub fn join_if<F>(
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
        self.join_if_answering(runtime, key, may_join, condition, |condition, answer| {
            let work = work(condition);
            async move { answer.last(work.await) }
        })
    }

    /// As [`join_if`](Self::join_if), for work that continues after its answer, or has another answer later.
    pub fn join_if_answering<F>(
        &self,
        runtime: &Handle,
        key: K,
        may_join: impl FnOnce(C) -> bool,
        condition: impl FnOnce() -> C,
        work: impl FnOnce(C, Answer<K, V, C>) -> F,
    ) -> Shared<V>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, answers) = watch::channel(None);
        let condition = {
            let mut running = lock(&self.0);
            if let Some(joined) = joined(&running, &key, may_join) {
                return joined;
            }
            let condition = condition();
            let answers = answers.clone();
            running.insert(key.clone(), Running { condition, answers });
            condition
        };
        let answer = Answer {
            running: Arc::clone(&self.0),
            key,
            sender,
        };
        runtime.spawn(work(condition, answer));
        Shared {
            answers,
            is_joined: false,
        }
    }

    /// Joins the running work of `key` if there is some, and if `may_join` is true of its condition. Starts none.
    pub fn join(&self, key: &K, may_join: impl FnOnce(C) -> bool) -> Option<Shared<V>> {
        joined(&lock(&self.0), key, may_join)
    }
}

fn joined<K: Eq + Hash, V, C: Copy>(
    running: &HashMap<K, Running<V, C>>,
    key: &K,
    may_join: impl FnOnce(C) -> bool,
) -> Option<Shared<V>> {
    let found = running.get(key)?;
    may_join(found.condition).then(|| Shared {
        answers: found.answers.clone(),
        is_joined: true,
    })
}

impl<V: Clone> Shared<V> {
    /// Waits for the first answer. Returns `None` if the task panicked before it, or was stopped with its runtime.
    pub async fn wait(mut self) -> Option<V> {
        let answered = self.answers.wait_for(Option::is_some).await.ok()?;
        answered.clone()
    }

    /// Returns the answer so far, which the work may replace by another.
    pub fn so_far(&self) -> Option<V> {
        self.answers.borrow().clone()
    }

    /// Waits for the last answer. Returns the answer so far if the task panicked, or was stopped with its runtime.
    pub async fn last(&mut self) -> Option<V> {
        while self.answers.changed().await.is_ok() {}
        self.so_far()
    }
}

/// The place of work among the running, through which it answers its callers. Dropping it frees the place, however the work ends.
pub struct Answer<K: Eq + Hash, V, C = ()> {
    running: Arc<Map<K, V, C>>,
    key: K,
    sender: watch::Sender<Option<V>>,
}

impl<K: Eq + Hash, V, C> Answer<K, V, C> {
    /// Answers all callers for now. Others can still join the work, and it can answer again.
    pub fn for_now(&self, value: V) {
        self.sender.send_replace(Some(value));
    }

    /// Answers all callers. The work can continue, and no caller can join it any more.
    pub fn last(self, value: V) {
        let sender = self.sender.clone();
        // Before its callers continue, so that none of them joins the same work again.
        drop(self);
        sender.send_replace(Some(value));
    }
}

impl<K: Eq + Hash, V, C> Drop for Answer<K, V, C> {
    fn drop(&mut self) {
        let mut running = lock(&self.running);
        // Other work may have taken the place, for callers that could not join this.
        let own = self.sender.subscribe();
        let is_same = |found: &Running<V, C>| found.answers.same_channel(&own);
        if running.get(&self.key).is_some_and(is_same) {
            running.remove(&self.key);
        }
    }
}

impl<K: Eq + Hash, V, C> fmt::Debug for Answer<K, V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
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
        *key.0.result.lock().unwrap() = Some(flight.answers.clone());
        assert_eq!(flight.wait().await, Some(7));
        assert_eq!(key.0.after_the_result.load(Ordering::SeqCst), 0);
    }

    /// The first answer does not end the work: a caller that comes after it waits for the last one.
    #[tokio::test]
    async fn work_may_answer_for_now_and_continue_after_its_last_answer() {
        let flights = SingleFlight::<u8, usize>::default();
        let (end, hook) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let start = || {
            let (end, hook) = (Arc::clone(&end), Arc::clone(&hook));
            let work = |(), answer: Answer<u8, usize>| async move {
                answer.for_now(1);
                end.notified().await;
                answer.last(2);
                hook.notified().await;
            };
            flights.join_if_answering(&Handle::current(), 1, |()| true, || (), work)
        };
        assert_eq!(start().wait().await, Some(1));
        let mut late = start();
        assert_eq!((late.is_joined, late.so_far()), (true, Some(1)));
        end.notify_one();
        assert_eq!(late.last().await, Some(2));
        assert!(!start().is_joined, "the last answer was given");
    }

    #[tokio::test]
    async fn who_starts_nothing_joins_only_what_runs_and_its_rule_allows() {
        let (flights, work) = (SingleFlight::default(), Work::new());
        assert!(flights.join(&1, |_| true).is_none());
        let first = start(&flights, &work, 3, |_| true);
        assert!(flights.join(&1, |began| began > 3).is_none());
        let joined = flights.join(&1, |began| began == 3).unwrap();
        tokio::task::yield_now().await;
        work.end.notify_one();
        assert_eq!(joined.wait().await, Some(1));
        assert_eq!(first.wait().await, Some(1));
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
