//! The world of one schedule: the server, the clocks, the requests in flight, and the answers of each actor.
//!
//! A step of an actor is a request to the server, or an event of its own: a user asks for authorization, a provider issues a message.

use std::{
    hash::{BuildHasher, Hash},
    sync::Arc,
};

use token_cache_core::{SessionId, Timestamp};

use super::{
    facts::Facts,
    network::{Got, Kind, Pending, Reply, Request},
    provider::Provider,
    state::State,
};

/// The store's clock at the start, in milliseconds.
pub(super) const START: u64 = 1_000_000_000;

/// Longer answers are left out of a trace.
const LONGEST_ANSWER: usize = 40;

/// Time between two events of the actors themselves, in milliseconds.
pub(super) const TICK: u64 = 1_000;

/// A request that was sent.
#[derive(Clone)]
pub(super) struct Sent {
    /// The actor that sent it.
    pub(super) actor: usize,
    /// Number of the actor's step.
    pub(super) step: usize,
    /// When it was sent, on the store's clock.
    pub(super) at: u64,
    /// `true` until it has been delivered.
    pub(super) in_flight: bool,
    /// The request.
    pub(super) request: Request,
}

/// The state of one actor.
#[derive(Clone, Default)]
pub(super) struct Seat {
    /// Its next step.
    pub(super) pending: Option<Pending>,
    /// Everything that it got so far. It does not depend on anything else.
    got: Vec<Got>,
    /// How much of that it has taken since it was last polled from its start.
    taken: usize,
    /// A digest of every answer that it got.
    pub(super) history: u64,
    /// Number of steps that it took.
    pub(super) steps: usize,
    /// `true` if a fault has affected it.
    pub(super) hit: bool,
    /// The facts about it.
    pub(super) facts: Facts,
}

/// The complete state of a schedule.
#[derive(Clone)]
pub(super) struct Inner {
    /// The store's clock.
    pub(super) now: u64,
    /// The server.
    pub(super) state: Arc<State>,
    /// How far the provider's clock is ahead, in milliseconds.
    pub(super) skew: i64,
    /// The identity provider.
    pub(super) provider: Provider,
    /// The actors.
    pub(super) seats: Vec<Seat>,
    /// The requests sent so far.
    pub(super) sent: Vec<Sent>,
    /// The actor that is being polled.
    pub(super) current: usize,
    /// The steps in words, if a trace is recorded.
    pub(super) trace: Option<Vec<String>>,
    /// Sessions that the last step ended, and the actor that took the step.
    pub(super) ended_now: Vec<(usize, SessionId)>,
}

impl Seat {
    /// Returns a seat whose actor has not begun.
    pub(super) fn new(facts: Facts) -> Self {
        Self {
            facts,
            ..Self::default()
        }
    }

    /// Has the actor take everything that it got once more.
    pub(super) fn start_again(&mut self) {
        self.taken = 0;
    }

    /// Records what the actor has got and taken.
    pub(super) fn has_got(&mut self, got: Got) {
        self.got.push(got);
        self.taken += 1;
    }

    /// Returns the next of what the actor got, if it has not taken everything.
    pub(super) fn next_got(&mut self) -> Option<Got> {
        let got = self.got.get(self.taken)?.clone();
        self.taken += 1;
        Some(got)
    }
}

impl Inner {
    /// Returns the time of the store's clock.
    pub(super) fn clock(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    /// Takes an actor's next step, and answers it.
    pub(super) fn take(&mut self, actor: usize) {
        match self.seats[actor].pending.take() {
            None => {}
            Some(Pending::Event(name, happen)) => {
                self.now += TICK;
                self.current = actor;
                let reply = happen(self);
                self.tell(|| name.to_owned(), Some(actor), "");
                self.answer(actor, Some(reply));
            }
            Some(Pending::Request(request)) => {
                let step = self.seats[actor].steps;
                self.record_first_arrival(actor);
                let reply = self.apply(actor, &request);
                self.tell(|| request.name.to_owned(), Some(actor), &reply.words);
                if request.kind != Kind::Read {
                    self.sent.push(Sent {
                        actor,
                        step,
                        at: self.now,
                        in_flight: false,
                        request,
                    });
                }
                self.answer(actor, Some(reply));
            }
        }
    }

    /// Leaves an actor's request without an answer. It may still be delivered.
    pub(super) fn lose(&mut self, actor: usize) {
        self.seats[actor].hit = true;
        if let Some(Pending::Request(request)) = self.seats[actor].pending.take() {
            self.tell(
                || {
                    format!(
                        "{}: no answer, the request is still in flight",
                        request.name
                    )
                },
                Some(actor),
                "",
            );
            self.put_in_flight(actor, request);
            self.answer(actor, None);
        }
    }

    /// Crashes an actor. Its request may still be delivered.
    pub(super) fn crash(&mut self, actor: usize) {
        self.seats[actor].hit = true;
        self.tell(|| "crashes".to_owned(), Some(actor), "");
        if let Some(Pending::Request(request)) = self.seats[actor].pending.take() {
            self.put_in_flight(actor, request);
        }
        self.seats[actor].history = hash(&(self.seats[actor].history, "crashed"));
    }

    /// Delivers a request that was sent, for the first time or once more. Its answer is dropped.
    pub(super) fn deliver(&mut self, index: usize) {
        let (actor, request) = (self.sent[index].actor, self.sent[index].request.clone());
        let words = if self.sent[index].in_flight {
            "arrives late"
        } else {
            "is delivered once more"
        };
        self.sent[index].in_flight = false;
        self.seats[actor].hit = true;
        let reply = self.apply(actor, &request);
        self.tell(
            || format!("{}: the request {words}", request.name),
            Some(actor),
            &reply.words,
        );
    }

    fn apply(&mut self, actor: usize, request: &Request) -> Reply {
        let now = self.clock();
        if request.kind == Kind::Read {
            return (request.apply)(Arc::make_mut(&mut self.state), now);
        }
        let before = self.state.living(now);
        let reply = (request.apply)(Arc::make_mut(&mut self.state), now);
        let after = self.state.living(now);
        for session_id in before
            .into_iter()
            .filter(|session_id| !after.contains(session_id))
        {
            self.seats[actor].facts.ended_sessions.insert(session_id);
            self.ended_now.push((actor, session_id));
        }
        reply
    }

    /// Records which sign-outs and writes had returned when an actor's first request reached the server.
    fn record_first_arrival(&mut self, actor: usize) {
        if self.seats[actor].facts.landed_after.is_none() {
            let done = self.seats.iter().map(|seat| seat.facts.succeeded());
            let done: Vec<bool> = done.collect();
            self.seats[actor].history = hash(&(self.seats[actor].history, &done));
            self.seats[actor].facts.landed_after = Some(done);
        }
    }

    fn put_in_flight(&mut self, actor: usize, request: Request) {
        if request.kind != Kind::Read {
            let step = self.seats[actor].steps;
            self.sent.push(Sent {
                actor,
                step,
                at: self.now,
                in_flight: true,
                request,
            });
        }
    }

    fn answer(&mut self, actor: usize, reply: Option<Reply>) {
        let seat = &mut self.seats[actor];
        seat.steps += 1;
        seat.history = hash(&(seat.history, reply.as_ref().map(|reply| reply.hash)));
        seat.got.push(reply.map(|reply| reply.value));
    }

    /// Adds a line to the trace, if one is recorded.
    pub(super) fn tell(
        &mut self,
        what: impl FnOnce() -> String,
        actor: Option<usize>,
        answer: &str,
    ) {
        let seconds = self.now.saturating_sub(START) / 1_000;
        if let Some(trace) = &mut self.trace {
            let name = actor.map(|actor| format!("{}: ", self.seats[actor].facts.name()));
            let name = name.unwrap_or_default();
            let answer = match answer {
                "" | "()" => String::new(),
                long if long.len() > LONGEST_ANSWER => String::new(),
                answer => format!(" -> {answer}"),
            };
            trace.push(format!("[{seconds:>5} s] {name}{}{answer}", what()));
        }
    }
}

/// Returns a digest.
pub(super) fn hash(value: &impl Hash) -> u64 {
    foldhash::quality::FixedState::default().hash_one(value)
}
