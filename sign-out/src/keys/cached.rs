use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_core::future::BoxFuture;
use token_cache_core::util::single_flight::{Shared, SingleFlight};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};

use crate::http::FetchError;

type Fetch<T> = dyn Fn() -> BoxFuture<'static, Result<T, FetchError>> + Send + Sync;
type Fetched<T> = Result<Arc<T>, FetchError>;

/// How long a fetched document is used without fetching it again.
pub(super) const FRESH_FOR: Duration = Duration::from_secs(10 * 60);

/// How long a document is used while the provider cannot be reached. It limits how long a withdrawn key is trusted.
const STALE_FOR: Duration = Duration::from_secs(60 * 60);

/// The pause after a failed fetch. It prevents a flood of messages from causing a flood of requests.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// A cached document of a provider. One fetch, in its own task, serves all waiting callers.
pub(super) struct Cached<T> {
    fetch: Box<Fetch<T>>,
    /// The running fetch. It is joined and started while `state` is locked, so that two fetches never run at once.
    fetching: SingleFlight<(), Fetched<T>>,
    state: Mutex<State<T>>,
}

struct State<T> {
    value: Option<Document<T>>,
    failed: Option<(Instant, FetchError)>,
    /// When the document was last fetched because it lacked something.
    refreshed: Option<Instant>,
}

/// Why a document is fetched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FetchReason {
    /// There is no document, or it has expired.
    Expired,
    /// The document lacks something, such as a key.
    Refresh,
}

impl<T> State<T> {
    /// Returns the last error if it is so recent that the provider is not asked again.
    fn recent_failure(&self) -> Option<FetchError> {
        let (at, failure) = self.failed.as_ref()?;
        (at.elapsed() < FAILURE_PAUSE).then(|| failure.clone())
    }
}

/// A document, and when it was requested.
struct Document<T> {
    value: Arc<T>,
    at: Instant,
}

impl<T> Clone for Document<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            at: self.at,
        }
    }
}

impl<T: Send + Sync + 'static> Cached<T> {
    pub(super) fn new(
        fetch: impl Fn() -> BoxFuture<'static, Result<T, FetchError>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            fetch: Box::new(fetch),
            fetching: SingleFlight::default(),
            state: Mutex::new(State {
                value: None,
                failed: None,
                refreshed: None,
            }),
        })
    }

    /// Returns the document. Fetches it if no document is cached or if it has expired. Returns an expired one if the fetch
    /// fails or does not finish by `deadline`.
    pub(super) async fn get(self: &Arc<Self>, deadline: Instant) -> Fetched<T> {
        let (fetching, old) = {
            let state = self.state();
            let old = state.value.clone();
            if let Some(known) = &old
                && known.at.elapsed() < FRESH_FOR
            {
                return Ok(Arc::clone(&known.value));
            }
            let usable = old.filter(|known| known.at.elapsed() < STALE_FOR);
            if let Some(failure) = state.recent_failure() {
                return usable.map_or(Err(failure), |known| Ok(known.value));
            }
            (self.start_or_join(&state, FetchReason::Expired), usable)
        };
        match (wait_for(fetching, deadline).await, old) {
            (Ok(value), _) => Ok(value),
            (Err(_), Some(old)) => Ok(old.value),
            (Err(failure), None) => Err(failure),
        }
    }

    /// Returns a document that was requested at `since` or later. If it lacks a key, the provider did not have that key
    /// when the message arrived.
    ///
    /// # Errors
    /// The fetch failed, or the document was refreshed less than `cooldown` ago. The error says when to ask again.
    pub(super) async fn fetched_since(
        self: &Arc<Self>,
        since: Instant,
        cooldown: Duration,
        deadline: Instant,
    ) -> Fetched<T> {
        loop {
            let fetching = {
                let state = self.state();
                if let Some(known) = &state.value
                    && known.at >= since
                {
                    return Ok(Arc::clone(&known.value));
                }
                if let Some(failure) = state.recent_failure() {
                    return Err(failure);
                }
                match (self.fetching.join(&(), any_fetch), state.refreshed) {
                    (Some(running), _) => running,
                    (None, Some(refreshed)) if refreshed.elapsed() < cooldown => {
                        return Err(FetchError::paused(refreshed + cooldown));
                    }
                    (None, _) => self.start_or_join(&state, FetchReason::Refresh),
                }
            };
            // A fetch that started before `since` may be too old, so the loop checks again.
            wait_for(fetching, deadline).await?;
        }
    }

    /// Joins the running fetch, or starts one. It continues when its callers go away.
    fn start_or_join(
        self: &Arc<Self>,
        _locked: &MutexGuard<'_, State<T>>,
        reason: FetchReason,
    ) -> Shared<Fetched<T>> {
        let fetch = |()| {
            let (cached, at) = (Arc::clone(self), Instant::now());
            let fetch = (self.fetch)();
            async move {
                let fetched = fetch.await.map(Arc::new);
                cached.state().adopt(&fetched, at, reason);
                fetched
            }
        };
        self.fetching
            .join_if(&Handle::current(), (), any_fetch, || (), fetch)
    }
}

/// The rule for joining a fetch: every caller joins the running one, so that the provider has one request at a time. A caller that needs a
/// later document waits for it, and then asks again.
const fn any_fetch((): ()) -> bool {
    true
}

impl<T> State<T> {
    /// Takes over the result of a fetch that was sent at `at`.
    fn adopt(&mut self, fetched: &Fetched<T>, at: Instant, reason: FetchReason) {
        match fetched {
            Ok(value) => {
                let value = Arc::clone(value);
                self.value = Some(Document { value, at });
                self.failed = None;
                if reason == FetchReason::Refresh {
                    self.refreshed = Some(at);
                }
            }
            Err(failure) => {
                let at = Instant::now();
                self.failed = Some((at, failure.clone().retry_at(at + FAILURE_PAUSE)));
            }
        }
    }
}

impl<T> Cached<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn wait_for<T>(fetching: Shared<Fetched<T>>, deadline: Instant) -> Fetched<T> {
    match timeout_at(deadline, fetching.wait()).await {
        Ok(Some(fetched)) => fetched,
        Ok(None) => Err(FetchError::new("the request to the provider was stopped")),
        Err(_) => Err(FetchError::late()),
    }
}

impl<T> fmt::Debug for Cached<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cached")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use tokio::{sync::watch, time};

    use super::*;

    /// A document whose value is the number of fetches.
    struct Source {
        fetched: AtomicUsize,
        fails: AtomicBool,
    }

    impl Source {
        fn new() -> (Arc<Self>, Arc<Cached<usize>>) {
            let source = Arc::new(Self {
                fetched: AtomicUsize::new(0),
                fails: AtomicBool::new(false),
            });
            let asked = Arc::clone(&source);
            let cached = Cached::new(move || {
                let asked = Arc::clone(&asked);
                Box::pin(async move {
                    let number = asked.fetched.fetch_add(1, Ordering::SeqCst) + 1;
                    tokio::task::yield_now().await;
                    if asked.fails.load(Ordering::SeqCst) {
                        return Err(FetchError::new("told to fail"));
                    }
                    Ok(number)
                })
            });
            (source, cached)
        }

        fn fetched(&self) -> usize {
            self.fetched.load(Ordering::SeqCst)
        }

        fn fail(&self, fails: bool) {
            self.fails.store(fails, Ordering::SeqCst);
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn soon() -> Instant {
        Instant::now() + SECOND
    }

    async fn get(cached: &Arc<Cached<usize>>) -> Fetched<usize> {
        cached.get(soon()).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_document_is_fetched_again_when_it_is_old_and_not_before() {
        let (source, cached) = Source::new();
        assert_eq!(get(&cached).await.as_deref(), Ok(&1));
        time::advance(FRESH_FOR.saturating_sub(SECOND)).await;
        assert_eq!(get(&cached).await.as_deref(), Ok(&1));
        time::advance(SECOND).await;
        assert_eq!(get(&cached).await.as_deref(), Ok(&2));
        assert_eq!(source.fetched(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_document_does_while_the_provider_fails_but_not_for_good() {
        let (source, cached) = Source::new();
        assert_eq!(get(&cached).await.as_deref(), Ok(&1));
        source.fail(true);
        time::advance(FRESH_FOR).await;
        assert_eq!(get(&cached).await.as_deref(), Ok(&1));
        assert_eq!(get(&cached).await.as_deref(), Ok(&1));
        assert_eq!(source.fetched(), 2, "a provider that failed is left alone");
        time::advance(STALE_FOR.saturating_sub(FRESH_FOR)).await;
        assert!(
            get(&cached).await.is_err(),
            "what it withdrew is not trusted"
        );
        source.fail(false);
        assert!(get(&cached).await.is_err(), "left alone");
        time::advance(FAILURE_PAUSE).await;
        assert_eq!(get(&cached).await.as_deref(), Ok(&4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_newer_one_is_fetched_once_in_a_cooldown_and_what_comes_meanwhile_is_told_when() {
        let (source, cached) = Source::new();
        let cooldown = 10 * SECOND;
        let newer = async |since| cached.fetched_since(since, cooldown, soon()).await;
        assert_eq!(get(&cached).await.as_deref(), Ok(&1));
        time::advance(SECOND).await;
        let received = Instant::now();
        let (one, other) = tokio::join!(newer(received), newer(received));
        assert_eq!((one.as_deref(), other.as_deref()), (Ok(&2), Ok(&2)));
        assert_eq!(newer(received).await.as_deref(), Ok(&2), "it is new enough");
        time::advance(SECOND).await;
        let received = Instant::now();
        let paused = newer(received).await.unwrap_err();
        assert_eq!(paused.retry_after(), cooldown.saturating_sub(SECOND));
        assert_eq!(source.fetched(), 2);
        time::advance(paused.retry_after()).await;
        assert_eq!(newer(received).await.as_deref(), Ok(&3));
        time::advance(cooldown).await;
        source.fail(true);
        let failed = newer(Instant::now()).await.unwrap_err();
        assert_eq!(
            failed.retry_after(),
            Duration::ZERO,
            "no pause was announced"
        );
        let failed = newer(Instant::now()).await.unwrap_err();
        assert_eq!(failed.retry_after(), FAILURE_PAUSE);
        assert_eq!(get(&cached).await.as_deref(), Ok(&3), "what is known stays");
    }

    /// Its response may have been created before the provider had a new key.
    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_began_before_is_not_new_enough() {
        let (source, cached) = Source::new();
        let running = cached.start_or_join(&cached.state(), FetchReason::Expired);
        time::advance(SECOND).await;
        let newer = cached.fetched_since(Instant::now(), 10 * SECOND, soon());
        let (first, newer) = tokio::join!(wait_for(running, soon()), newer);
        assert_eq!((first.as_deref(), newer.as_deref()), (Ok(&1), Ok(&2)));
        assert_eq!(source.fetched(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_document_does_while_the_provider_is_silent_but_not_for_good() {
        let (open, gate) = watch::channel(true);
        let cached = Cached::new(move || {
            let mut gate = gate.clone();
            Box::pin(async move {
                let opened = gate.wait_for(|open| *open).await;
                opened.map(|_| 7).map_err(|_| FetchError::new("gone"))
            })
        });
        assert_eq!(get(&cached).await.as_deref(), Ok(&7));
        open.send_replace(false);
        time::advance(FRESH_FOR).await;
        assert_eq!(get(&cached).await.as_deref(), Ok(&7));
        time::advance(STALE_FOR).await;
        assert!(get(&cached).await.is_err());
        open.send_replace(true);
        assert_eq!(get(&cached).await.as_deref(), Ok(&7));
    }

    /// Each worker of actix-web has its own runtime, which stops independently.
    #[test]
    fn a_fetch_whose_runtime_stops_leaves_room_for_the_next() {
        let cached = Cached::new(|| Box::pin(async { Ok(7) }));
        let on_a_runtime = || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_time().build().unwrap()
        };
        let stopped = on_a_runtime();
        stopped.block_on(async {
            drop(cached.start_or_join(&cached.state(), FetchReason::Expired));
        });
        drop(stopped);
        let found = on_a_runtime().block_on(get(&cached));
        assert_eq!(found.as_deref(), Ok(&7));
    }

    #[tokio::test]
    async fn a_fetch_that_panics_leaves_room_for_the_next() {
        let first = AtomicBool::new(true);
        let cached = Cached::new(move || {
            let is_first = first.swap(false, Ordering::SeqCst);
            Box::pin(async move {
                assert!(!is_first, "a fault");
                Ok(7)
            })
        });
        assert!(get(&cached).await.is_err());
        assert_eq!(get(&cached).await.as_deref(), Ok(&7));
    }
}
