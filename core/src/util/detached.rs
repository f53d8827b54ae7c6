use std::{
    error::Error,
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use tokio::{runtime::Handle, task::JoinError};

tokio::task_local! {
    /// Is set in a future that is never dropped before its end.
    static NEVER_DROPPED: ();
}

/// Work that did not end: it panicked, or its runtime shut down.
#[derive(Debug)]
pub struct Stopped(Option<JoinError>);

/// Runs `work` to its end, even if the caller is dropped meanwhile (G4): in a task of its own on `runtime`, whose result the caller awaits.
///
/// Within [`never_dropped`], it runs in the caller's task instead, which needs no other.
///
/// # Errors
/// [`Stopped`] if `work` panics, or if the runtime shuts down before its end.
pub async fn run_detached<T: Send + 'static>(
    runtime: &Handle,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Stopped> {
    if NEVER_DROPPED.try_with(|()| ()).is_ok() {
        return unless_it_panics(work).await;
    }
    runtime
        .spawn(work)
        .await
        .map_err(|ended| Stopped(Some(ended)))
}

/// Marks a future that is never dropped before its end, so that [`run_detached`] needs no other task in it.
///
/// The caller is a task that awaits this future to its end. No part of it may be dropped either, such as by a timeout: the detached work of
/// that part would be lost. Code of an app may do that, so it never runs within such a future.
pub fn never_dropped<F: Future>(work: F) -> impl Future<Output = F::Output> {
    NEVER_DROPPED.scope((), work)
}

async fn unless_it_panics<T>(work: impl Future<Output = T>) -> Result<T, Stopped> {
    let mut work = pin!(work);
    poll_fn(|context| {
        let poll = AssertUnwindSafe(|| work.as_mut().poll(context));
        match catch_unwind(poll) {
            Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(Err(Stopped(None))),
        }
    })
    .await
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its task panicked, or was stopped when the tokio runtime shut down")
    }
}

impl Error for Stopped {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_ref().map(|ended| ended as &dyn Error)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    use tokio::{sync::Notify, task, time};

    use super::*;

    async fn detached<T: Send + 'static>(
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Stopped> {
        run_detached(&Handle::current(), work).await
    }

    #[tokio::test]
    async fn work_continues_when_its_caller_is_dropped() {
        let (may_end, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (go, done) = (Arc::clone(&may_end), Arc::clone(&ended));
        let work = detached(async move {
            go.notified().await;
            done.notify_one();
        });
        assert!(time::timeout(Duration::ZERO, work).await.is_err());
        may_end.notify_one();
        ended.notified().await;
    }

    #[tokio::test]
    async fn work_needs_no_task_of_its_own_where_nobody_drops_it() {
        // A test itself is no task.
        assert!(detached(async { task::try_id() }).await.unwrap().is_some());
        let inside = never_dropped(async { detached(async { task::try_id() }).await.unwrap() });
        assert_eq!(inside.await, None);
        assert!(detached(async { task::try_id() }).await.unwrap().is_some());
    }

    /// A task that is started there can be dropped again.
    #[tokio::test]
    async fn the_mark_ends_with_the_task() {
        let started = never_dropped(async {
            task::spawn(async {
                let own = task::id();
                detached(async { task::id() }).await.unwrap() == own
            })
            .await
        });
        assert!(!started.await.unwrap());
    }

    #[tokio::test]
    async fn a_panic_is_an_error_in_either_task() {
        let panics = || async { panic!("a fault") };
        let went_on = AtomicBool::new(false);
        let stopped = detached(panics()).await.unwrap_err();
        assert!(stopped.source().is_some(), "{stopped}");
        never_dropped(async {
            detached(panics()).await.unwrap_err();
            went_on.store(true, Ordering::SeqCst);
        })
        .await;
        assert!(went_on.into_inner());
    }
}
