//! The network between actors and server. Every step is queued here until the scheduler takes it.

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

/// How the network may treat a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A request that changes nothing.
    Read,
    /// A request that may be lost, late, or delivered twice.
    Write,
    /// A request that may be lost or late, and is delivered at most once.
    WriteOnce,
}

type Apply = Arc<dyn Fn(&mut State, Timestamp) -> Reply + Send + Sync>;
type Event = Arc<dyn Fn(&mut Inner) -> Reply + Send + Sync>;

/// An answer or a value that an actor has got, or `None` if its request got no answer.
pub(super) type Got = Option<Arc<dyn Any + Send + Sync>>;

/// An answer and its hash, and its text if a trace is recorded.
pub(super) struct Reply {
    pub(super) value: Arc<dyn Any + Send + Sync>,
    pub(super) hash: u64,
    pub(super) words: String,
}

impl Reply {
    fn new<R: Hash + Debug + Send + Sync + 'static>(value: R, traced: bool) -> Self {
        Self {
            hash: hash(&value),
            words: if traced {
                format!("{value:?}")
            } else {
                String::new()
            },
            value: Arc::new(value),
        }
    }
}

/// A step that is not taken yet.
#[derive(Clone)]
pub(super) enum Pending {
    /// An event of the actor itself.
    Event(&'static str, Event),
    /// A request to the server.
    Request(Request),
}

/// A request.
#[derive(Clone)]
pub(super) struct Request {
    /// Its name in traces.
    pub(super) name: &'static str,
    /// How the network may treat it.
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
    /// Returns a world at its start.
    pub(super) fn new(inner: Inner) -> Self {
        Self(Arc::new(Mutex::new(inner)))
    }

    /// Locks the world. Called only while no actor is being polled.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the actor that is polled read or change the world. Every access of an actor is one of these. If the actor is polled again from
    /// its start, in a copy of the world, it gets the same value and changes nothing.
    pub(super) fn access<R: Clone + Send + Sync + 'static>(
        &self,
        access: impl FnOnce(&mut Inner) -> R,
    ) -> R {
        let mut inner = self.lock();
        let current = inner.current;
        if let Some(got) = inner.seats[current].next_got() {
            return value(got).unwrap_or_else(|| access(&mut inner));
        }
        let value = access(&mut inner);
        inner.seats[current].has_got(Some(Arc::new(value.clone())));
        value
    }

    /// Returns a number that no other call and no other actor gets.
    pub(super) fn mint(&self) -> u32 {
        self.access(|inner| {
            let steps = inner.seats[inner.current].steps;
            u32::try_from(steps * 16 + inner.current + 1).unwrap_or(u32::MAX)
        })
    }

    /// Sends a request to the server, and waits for the answer.
    pub(super) async fn request<R: Clone + Hash + Debug + Send + Sync + 'static>(
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

    /// Waits until an event of the actor itself happens.
    pub(super) async fn event<R: Clone + Hash + Debug + Send + Sync + 'static>(
        &self,
        name: &'static str,
        happen: impl Fn(&mut Inner) -> R + Send + Sync + 'static,
    ) -> R {
        let traced = self.lock().trace.is_some();
        let event: Event = Arc::new(move |inner| Reply::new(happen(inner), traced));
        let answer = self.step(Pending::Event(name, event)).await;
        #[expect(clippy::expect_used, reason = "the network loses requests, not events")]
        answer.expect("an event is answered")
    }

    fn step<R: Clone + 'static>(&self, pending: Pending) -> Step<R> {
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

impl<R: Clone + 'static> Future for Step<R> {
    type Output = Option<R>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let mut inner = self.world.lock();
        let current = inner.current;
        let seat = &mut inner.seats[current];
        if let Some(got) = seat.next_got() {
            return Poll::Ready(value(got));
        }
        drop(inner);
        if let Some(pending) = self.pending.take() {
            self.world.lock().seats[current].pending = Some(pending);
        }
        Poll::Pending
    }
}

fn value<R: Clone + 'static>(got: Got) -> Option<R> {
    got?.downcast_ref().cloned()
}
