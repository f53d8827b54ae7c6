//! The network between actors and server: every step is posted here, and waits until the scheduler takes it.

use std::{
    any::Any,
    fmt::{self, Debug},
    hash::Hash,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use token_cache_core::{Error, ErrorKind, Result, Timestamp};

use super::{
    state::State,
    world::{Inner, hash},
};

/// What a request is to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It changes nothing.
    Read,
    /// It may be lost, late, or delivered twice.
    Write,
    /// It may be lost or late, and is delivered once at the most.
    WriteOnce,
}

type Apply = Arc<dyn Fn(&mut State, Timestamp) -> Reply + Send + Sync>;
type Event = Box<dyn FnOnce(&mut Inner) -> Reply + Send>;

/// An answer, its hash, and its words where a trace is kept.
pub(super) struct Reply {
    pub(super) value: Box<dyn Any + Send>,
    pub(super) hash: u64,
    pub(super) words: String,
}

impl Reply {
    fn new<R: Hash + Debug + Send + 'static>(value: R, traced: bool) -> Self {
        Self {
            hash: hash(&value),
            words: if traced {
                format!("{value:?}")
            } else {
                String::new()
            },
            value: Box::new(value),
        }
    }
}

/// A step that waits to be taken.
pub(super) enum Pending {
    /// Of the actor's own.
    Event(&'static str, Event),
    /// A request to the server.
    Request(Request),
}

/// A request.
#[derive(Clone)]
pub(super) struct Request {
    /// What it is.
    pub(super) name: &'static str,
    /// What it is to the network.
    pub(super) kind: Kind,
    pub(super) apply: Apply,
}

/// A handle to the world, and the network between actors and server.
#[derive(Clone)]
pub(super) struct World(Arc<Mutex<Inner>>);

impl Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl World {
    /// A world at its start.
    pub(super) fn new(inner: Inner) -> Self {
        Self(Arc::new(Mutex::new(inner)))
    }

    /// The world, while nobody is polled.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number of the current actor's own, never the same again.
    pub(super) fn mint(&self) -> u32 {
        let inner = self.lock();
        let steps = inner.seats[inner.current].steps;
        u32::try_from(steps * 16 + inner.current + 1).unwrap_or(u32::MAX)
    }

    /// Sends a request to the server, and waits for the answer.
    pub(super) async fn request<R: Hash + Debug + Send + 'static>(
        &self,
        kind: Kind,
        name: &'static str,
        apply: impl Fn(&mut State, Timestamp) -> R + Send + Sync + 'static,
    ) -> Result<R> {
        let traced = self.lock().trace.is_some();
        let request = Request {
            name,
            kind,
            apply: Arc::new(move |state, now| Reply::new(apply(state, now), traced)),
        };
        let answer = self.step(Pending::Request(request)).await;
        answer.ok_or_else(|| {
            Error::new(ErrorKind::TimedOut, name)
                .store("model")
                .maybe_applied()
        })
    }

    /// Waits until an event of the actor's own happens.
    pub(super) async fn event<R: Hash + Debug + Send + 'static>(
        &self,
        name: &'static str,
        happen: impl FnOnce(&mut Inner) -> R + Send + 'static,
    ) -> R {
        let traced = self.lock().trace.is_some();
        let event: Event = Box::new(move |inner| Reply::new(happen(inner), traced));
        let answer = self.step(Pending::Event(name, event)).await;
        #[expect(clippy::expect_used, reason = "the network loses requests, not events")]
        answer.expect("an event is answered")
    }

    fn step<R: 'static>(&self, pending: Pending) -> Step<R> {
        Step {
            world: self.clone(),
            pending: Some(pending),
            answer: std::marker::PhantomData,
        }
    }
}

struct Step<R> {
    world: World,
    pending: Option<Pending>,
    answer: std::marker::PhantomData<fn() -> R>,
}

impl<R: 'static> Future for Step<R> {
    type Output = Option<R>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let pending = self.pending.take();
        let mut inner = self.world.lock();
        let current = inner.current;
        let seat = &mut inner.seats[current];
        if pending.is_some() {
            seat.pending = pending;
            return Poll::Pending;
        }
        match seat.answer.take() {
            None => Poll::Pending,
            Some(Err(())) => Poll::Ready(None),
            Some(Ok(value)) => Poll::Ready(value.downcast().ok().map(|value| *value)),
        }
    }
}
