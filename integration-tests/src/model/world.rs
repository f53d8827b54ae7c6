//! The world of one schedule: the server, the clocks, the requests under way, and what each actor has seen.
//!
//! A step of an actor is a request to the server, or an event of its own (a user asks for authorization, a provider issues
//! a message). Nothing else happens.

use std::{
    any::Any,
    hash::{BuildHasher, Hash},
};

use token_cache_core::{SessionId, Timestamp};

use super::{
    facts::Facts,
    network::{Kind, Pending, Reply, Request},
    provider::Provider,
    state::State,
};

/// The store's clock at the start, in milliseconds.
pub(super) const START: u64 = 1_000_000_000;

/// A trace leaves out answers that have more letters.
const LONGEST_ANSWER: usize = 40;

/// Between two events of the actors' own lies a second.
pub(super) const TICK: u64 = 1_000;
/// A request that was sent.
pub(super) struct Sent {
    /// By whom.
    pub(super) actor: usize,
    /// Which of the actor's steps.
    pub(super) step: usize,
    /// When, on the store's clock.
    pub(super) at: u64,
    /// True while it has not been delivered.
    pub(super) in_flight: bool,
    /// What it is.
    pub(super) request: Request,
}

/// One actor's side.
#[derive(Default)]
pub(super) struct Seat {
    /// Its next step.
    pub(super) pending: Option<Pending>,
    pub(super) answer: Option<std::result::Result<Box<dyn Any + Send>, ()>>,
    /// A digest of every answer it got.
    pub(super) history: u64,
    /// How many steps it took.
    pub(super) steps: usize,
    /// True where a fault has hit it.
    pub(super) hit: bool,
    /// What is true of it, whatever the store thinks.
    pub(super) facts: Facts,
}

/// Everything of a schedule.
pub(super) struct Inner {
    /// The store's clock.
    pub(super) now: u64,
    /// The server.
    pub(super) state: State,
    /// How far the provider's clock is ahead, in milliseconds.
    pub(super) skew: i64,
    /// The identity provider.
    pub(super) provider: Provider,
    /// The actors.
    pub(super) seats: Vec<Seat>,
    /// The requests sent so far.
    pub(super) sent: Vec<Sent>,
    /// Who is polled.
    pub(super) current: usize,
    /// What happened, in words; kept only for a trace.
    pub(super) trace: Option<Vec<String>>,
    /// Sessions that the last step ended, and whose step it was.
    pub(super) ended_now: Vec<(usize, SessionId)>,
}

impl Seat {
    /// A seat whose actor has not begun.
    pub(super) fn new(facts: Facts) -> Self {
        Self {
            facts,
            ..Self::default()
        }
    }
}

impl Inner {
    /// The store's clock.
    pub(super) fn clock(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    /// An actor's next step is taken, and answered.
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
                self.mark_first_landing(actor);
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

    /// An actor's request is not answered in time; it may still be delivered.
    pub(super) fn lose(&mut self, actor: usize) {
        self.seats[actor].hit = true;
        if let Some(Pending::Request(request)) = self.seats[actor].pending.take() {
            self.tell(
                || {
                    format!(
                        "{}: no answer, the request is still under way",
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

    /// An actor crashes; its request may still be delivered.
    pub(super) fn crash(&mut self, actor: usize) {
        self.seats[actor].hit = true;
        self.tell(|| "crashes".to_owned(), Some(actor), "");
        if let Some(Pending::Request(request)) = self.seats[actor].pending.take() {
            self.put_in_flight(actor, request);
        }
        self.seats[actor].history = hash(&(self.seats[actor].history, "crashed"));
    }

    /// A request that was sent is delivered, or delivered once more. Nobody waits for the answer.
    pub(super) fn deliver(&mut self, index: usize) {
        let (actor, request) = (self.sent[index].actor, self.sent[index].request.clone());
        let words = if self.sent[index].in_flight {
            "lands late"
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
            return (request.apply)(&mut self.state, now);
        }
        let before = self.state.living(now);
        let reply = (request.apply)(&mut self.state, now);
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

    /// Which sign-outs and writes had returned when an actor's first request landed.
    fn mark_first_landing(&mut self, actor: usize) {
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
        seat.answer = Some(reply.map(|reply| reply.value).ok_or(()));
    }

    /// Adds a line to the trace, where one is kept.
    pub(super) fn tell(
        &mut self,
        what: impl FnOnce() -> String,
        actor: Option<usize>,
        answer: &str,
    ) {
        let seconds = self.now.saturating_sub(START) / 1_000;
        let name = actor.map(|actor| self.seats[actor].facts.name());
        if let Some(trace) = &mut self.trace {
            let name = name.map(|name| format!("{name}: ")).unwrap_or_default();
            let answer = match answer {
                "" | "()" => String::new(),
                long if long.len() > LONGEST_ANSWER => String::new(),
                answer => format!(" -> {answer}"),
            };
            trace.push(format!("[{seconds:>5} s] {name}{}{answer}", what()));
        }
    }
}

/// A digest.
pub(super) fn hash(value: &impl Hash) -> u64 {
    foldhash::quality::FixedState::default().hash_one(value)
}
