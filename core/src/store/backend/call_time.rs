//! The time that one call of the cache has spent in requests of the store.
//!
//! A call such as a sign-in sends several requests. A store has a timeout for one request. Without this shared count, a call could take as
//! many timeouts as it sends requests.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::task::futures::TaskLocalFuture;

tokio::task_local! {
    static CALL: CallTime;
}

#[derive(Default)]
pub(crate) struct CallTime(Mutex<Spent>);

#[derive(Clone, Copy, Default)]
struct Spent {
    /// The time in requests that have ended.
    before: Duration,
    /// The number of requests in flight, and when the first of them began.
    under_way: u32,
    since: Option<Instant>,
}

impl Spent {
    fn so_far(&self) -> Duration {
        let now = self.since.map_or(Duration::ZERO, |since| since.elapsed());
        self.before + now
    }
}

impl CallTime {
    fn with<T>(&self, change: impl FnOnce(&mut Spent) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs `work` as one call, whose requests share one timeout. Within another call, `work` has what is left of that call's timeout.
pub(crate) fn in_call<F: Future>(work: F) -> TaskLocalFuture<CallTime, F> {
    CALL.scope(surrounding().unwrap_or_default(), work)
}

/// As [`in_call`], for work of many steps. It is boxed because the compiler fails on futures that are nested too deeply.
pub(crate) fn in_boxed_call<'a, T>(
    work: impl Future<Output = T> + Send + 'a,
) -> TaskLocalFuture<CallTime, Pin<Box<dyn Future<Output = T> + Send + 'a>>> {
    in_call(Box::pin(work))
}

/// Makes a spawned task part of the call that starts it, if there is one.
pub(crate) fn in_same_call<T>(task: impl Future<Output = T>) -> impl Future<Output = T> {
    let call = surrounding();
    async move {
        match call {
            None => task.await,
            Some(call) => CALL.scope(call, task).await,
        }
    }
}

/// Returns the time that the surrounding call has spent, or `None` outside a call.
fn surrounding() -> Option<CallTime> {
    let so_far = CALL.try_with(|call| call.with(|spent| spent.so_far()));
    let spent = |before| Spent {
        before,
        ..Spent::default()
    };
    Some(CallTime(Mutex::new(spent(so_far.ok()?))))
}

/// Returns how long the next request of a store may take. `timeout` is the store's configured timeout.
///
/// A call of the cache, such as a sign-out, can send several requests. Together they take at most one `timeout`. The result is `timeout`
/// minus the time of the requests that the call in progress has sent so far. The time between requests does not count, for example while a
/// sign-out waits for near caches, or a refresh waits for the provider. Outside a call of the cache, the result is the whole `timeout`.
///
/// A store calls it before each request, and uses the result as the timeout of the request. If the result is zero, the store sends no
/// request, and returns [`TimedOut`](crate::ErrorKind::TimedOut). The store holds a [`StoreRequest`] during the request, so that the
/// request's time counts.
///
/// ```
/// use std::time::Duration;
/// use token_cache::store::backend::{StoreRequest, time_left};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let left = time_left(Duration::from_secs(1));
/// let request = StoreRequest::begin(); //                 counts until it is dropped
/// let answer = tokio::time::timeout(left, async { "an answer" }).await;
/// drop(request);
/// # assert!(answer.is_ok());
/// # }
/// ```
pub fn time_left(timeout: Duration) -> Duration {
    CALL.try_with(|call| timeout.saturating_sub(call.with(|spent| spent.so_far())))
        .unwrap_or(timeout)
}

/// A guard that a store holds during one request to its database server, so that all requests of one call of the cache share one time
/// limit. The time from [`begin`](Self::begin) until the guard is dropped is subtracted from what [`time_left`] returns to the later
/// requests of the call.
///
/// If a call sends several requests at the same time, that time is subtracted once. Without the guard, each request has the whole limit.
#[derive(Debug)]
#[must_use = "its time counts until it is dropped"]
pub struct StoreRequest(());

impl StoreRequest {
    /// Creates the guard, and starts to count the time of a request. A store calls it when it sends the request. Outside a call of the
    /// cache, such as a sign-out, nothing is counted.
    pub fn begin() -> Self {
        // Outside a call nothing counts.
        let _ = CALL.try_with(|call| {
            call.with(|spent| {
                spent.under_way += 1;
                spent.since.get_or_insert_with(Instant::now);
            });
        });
        Self(())
    }
}

impl Drop for StoreRequest {
    fn drop(&mut self) {
        // Outside a call nothing counts.
        let _ = CALL.try_with(|call| {
            call.with(|spent| {
                spent.under_way = spent.under_way.saturating_sub(1);
                if spent.under_way == 0 {
                    spent.before = spent.so_far();
                    spent.since = None;
                }
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(3600);

    async fn request() {
        let _request = StoreRequest::begin();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    #[tokio::test]
    async fn the_requests_of_a_call_share_one_timeout() {
        assert_eq!(time_left(TIMEOUT), TIMEOUT);
        in_call(async {
            request().await;
            let after_one = time_left(TIMEOUT);
            assert!(after_one + Duration::from_millis(5) <= TIMEOUT);
            // Time between requests does not count.
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert_eq!(time_left(TIMEOUT), after_one);
            in_call(async { assert_eq!(time_left(TIMEOUT), after_one) }).await;
            assert_eq!(time_left(Duration::ZERO), Duration::ZERO);
        })
        .await;
        request().await;
        assert_eq!(time_left(TIMEOUT), TIMEOUT);
    }

    #[tokio::test]
    async fn a_task_of_its_own_goes_on_with_what_is_left() {
        in_call(async {
            request().await;
            let left = time_left(TIMEOUT);
            let seen = tokio::spawn(in_same_call(async { time_left(TIMEOUT) }));
            assert_eq!(seen.await.unwrap(), left);
        })
        .await;
        let seen = tokio::spawn(in_same_call(async { time_left(TIMEOUT) }));
        assert_eq!(seen.await.unwrap(), TIMEOUT);
    }
}
