//! One schedule: the actors of a scenario, polled by hand, one choice after another.

use std::{
    hash::{BuildHasher, Hash, Hasher},
    pin::Pin,
    sync::Arc,
    task::{Context, Waker},
};

use token_cache_core::TokenStore;

use super::{
    actors::Stage,
    checker::{self, Violation},
    dynamodb_like::DynamoDbLike,
    facts::{Facts, Role, SignInFacts},
    mutants::Mutant,
    network::{Kind, Pending, World},
    provider::Provider,
    redis_like::RedisLike,
    scenario::{Act, Scenario, StoreLike, account},
    world::{Inner, START, Seat, hash},
};

/// How long a request's signature is valid, in milliseconds, rounded up.
const SIGNATURE_LIFE: u64 = 15 * 60 * 1_000;

/// A choice of the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// An actor's next step is taken.
    Take(u8),
    /// An actor's request gets no answer. A fault.
    Lose(u8),
    /// An actor crashes. A fault.
    Crash(u8),
    /// A lost request reaches the server.
    Land(u8),
    /// A request that has reached the server is delivered once more. A fault.
    Repeat(u8),
    /// Time passes. The store may sweep what has expired.
    Jump {
        /// `true` if the store sweeps at once.
        sweep: bool,
    },
}

impl Choice {
    pub(super) fn is_fault(self) -> bool {
        matches!(self, Self::Lose(_) | Self::Crash(_) | Self::Repeat(_))
    }
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A schedule in progress.
pub(super) struct Run<'a> {
    scenario: &'a Scenario,
    world: World,
    /// The actors' futures. One that is missing is polled again from its start, with everything that its actor got.
    tasks: Vec<Option<Task>>,
    started: Vec<bool>,
    ended: Vec<bool>,
    jumped: usize,
    faults: u8,
}

impl<'a> Run<'a> {
    pub(super) fn new(scenario: &'a Scenario, traced: bool) -> Self {
        let actors = scenario.actors.iter().enumerate();
        let seats = actors.map(|(number, actor)| Seat::new(facts(number, &actor.act)));
        let world = World::new(Inner {
            now: START,
            state: Arc::default(),
            provider: Provider::with_browsers(scenario.browsers, START - 1_000),
            seats: seats.collect(),
            sent: Vec::new(),
            current: 0,
            trace: traced.then(Vec::new),
            ended_now: Vec::new(),
            skew: scenario.skew,
        });
        Self {
            tasks: scenario.actors.iter().map(|_| None).collect(),
            started: vec![false; scenario.actors.len()],
            ended: vec![false; scenario.actors.len()],
            jumped: 0,
            faults: 0,
            scenario,
            world,
        }
    }

    /// Returns a copy, which changes independently.
    pub(super) fn fork(&self) -> Self {
        Self {
            scenario: self.scenario,
            world: World::new(self.world.lock().clone()),
            tasks: self.tasks.iter().map(|_| None).collect(),
            started: self.started.clone(),
            ended: self.ended.clone(),
            jumped: self.jumped,
            faults: self.faults,
        }
    }

    fn task(&self, me: usize) -> Task {
        let scenario = self.scenario;
        let stage = Stage {
            me,
            world: self.world.clone(),
            store: connect(scenario, &self.world, me),
            bent: scenario.bent,
            skew: scenario.skew,
        };
        Box::pin(stage.act(scenario.actors[me].act.clone()))
    }

    pub(super) fn faults(&self) -> u8 {
        self.faults
    }

    pub(super) fn choices(&self) -> Vec<Choice> {
        let inner = self.world.lock();
        let mut choices = Vec::new();
        let faulty = self.faults < self.scenario.faults;
        for (number, actor) in (0u8..).zip(&self.scenario.actors) {
            let me = usize::from(number);
            let ready = actor.after.iter().all(|first| self.ended[*first]);
            if self.ended[me] || !ready {
                continue;
            }
            choices.push(Choice::Take(number));
            if faulty && matches!(inner.seats[me].pending, Some(Pending::Request(_))) {
                choices.extend([Choice::Lose(number), Choice::Crash(number)]);
            }
        }
        for (index, sent) in (0u8..).zip(&inner.sent) {
            if self.is_too_old(inner.now, sent.at) {
                continue;
            }
            if sent.in_flight {
                choices.push(Choice::Land(index));
            } else if faulty && sent.request.kind == Kind::Write {
                choices.push(Choice::Repeat(index));
            }
        }
        if self.jumped < self.scenario.jumps.len() {
            choices.push(Choice::Jump { sweep: true });
            if self.scenario.store == StoreLike::DynamoDb {
                choices.push(Choice::Jump { sweep: false });
            }
        }
        choices
    }

    /// A request to DynamoDB is signed with its date and refused once that date is too old.
    fn is_too_old(&self, now: u64, sent_at: u64) -> bool {
        self.scenario.store == StoreLike::DynamoDb
            && now >= sent_at + SIGNATURE_LIFE
            && !self.scenario.bent.is(Mutant::RequestsWithoutDate)
    }

    /// Takes a step. Returns `false` if it has delivered a request that changed nothing.
    pub(super) fn take(&mut self, choice: Choice) -> bool {
        self.faults += u8::from(choice.is_fault());
        self.world.lock().ended_now.clear();
        match choice {
            Choice::Take(actor) => {
                let actor = usize::from(actor);
                if !self.started[actor] {
                    self.started[actor] = true;
                    self.poll(actor);
                }
                self.world.lock().take(actor);
                self.poll(actor);
            }
            Choice::Lose(actor) => {
                self.world.lock().lose(usize::from(actor));
                self.poll(usize::from(actor));
            }
            Choice::Crash(actor) => {
                self.world.lock().crash(usize::from(actor));
                self.ended[usize::from(actor)] = true;
            }
            Choice::Land(index) | Choice::Repeat(index) => {
                let mut inner = self.world.lock();
                let before = hash(&inner.state);
                inner.deliver(usize::from(index));
                return hash(&inner.state) != before;
            }
            Choice::Jump { sweep } => self.jump(sweep),
        }
        true
    }

    fn jump(&mut self, sweep: bool) {
        let by = self.scenario.jumps[self.jumped];
        self.jumped += 1;
        let mut inner = self.world.lock();
        inner.now += u64::try_from(by.as_millis()).unwrap_or_default();
        let now = inner.clock();
        if sweep {
            Arc::make_mut(&mut inner.state).sweep(now);
        }
        let words = if sweep {
            ", and expired items are swept"
        } else {
            ""
        };
        inner.tell(
            || format!("{} minutes pass{words}", by.as_secs() / 60),
            None,
            "",
        );
    }

    fn poll(&mut self, actor: usize) {
        if self.ended[actor] {
            return;
        }
        let mut task = self.tasks[actor].take().unwrap_or_else(|| {
            self.world.lock().seats[actor].start_again();
            self.task(actor)
        });
        self.world.lock().current = actor;
        let mut context = Context::from_waker(Waker::noop());
        if task.as_mut().poll(&mut context).is_pending() {
            self.tasks[actor] = Some(task);
        } else {
            self.ended[actor] = true;
            let mut inner = self.world.lock();
            if inner.trace.is_some() {
                let outcome = inner.seats[actor].facts.outcome.clone();
                let words = outcome.map_or_else(String::new, |outcome| outcome.to_string());
                inner.tell(|| format!("has finished: {words}"), Some(actor), "");
            }
        }
    }

    /// Returns a digest of everything that can still matter, except the number of faults left.
    pub(super) fn key(&self) -> u64 {
        let inner = self.world.lock();
        let mut hasher = foldhash::quality::FixedState::default().build_hasher();
        inner.now.hash(&mut hasher);
        inner.state.hash(&mut hasher);
        self.jumped.hash(&mut hasher);
        for (seat, ended) in inner.seats.iter().zip(&self.ended) {
            (seat.history, seat.steps, seat.hit, ended).hash(&mut hasher);
        }
        let in_flight = inner.sent.iter().filter(|sent| sent.in_flight);
        let mut in_flight: Vec<_> = in_flight
            .map(|sent| (sent.actor, sent.step, sent.at))
            .collect();
        in_flight.sort_unstable();
        in_flight.hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn violation(&self) -> Option<Violation> {
        checker::check(&self.world.lock())
    }

    pub(super) fn trace(&self) -> Vec<String> {
        self.world.lock().trace.clone().unwrap_or_default()
    }
}

fn connect(scenario: &Scenario, world: &World, me: usize) -> Arc<dyn TokenStore> {
    let (world, bent) = (world.clone(), scenario.bent);
    match scenario.store {
        StoreLike::DynamoDb => Arc::new(DynamoDbLike {
            world,
            bent,
            head_first: me.is_multiple_of(2),
        }),
        StoreLike::Redis => Arc::new(RedisLike { world, bent }),
    }
}

fn facts(number: usize, act: &Act) -> Facts {
    let role = match act {
        Act::SignIn(act) => Role::SignIn(SignInFacts {
            account: account(act.user),
            requested: None,
            authenticated: None,
            with_sid: act.with_sid,
            auth_time: act.auth_time,
            not_after: u64::MAX,
            session_ids: Vec::new(),
        }),
        Act::Write(of) => Role::Write(*of),
        Act::Create(_) => Role::Create,
        Act::Remove(of) => Role::Remove(*of),
        Act::Read(of) => Role::Read(*of),
        Act::FindBackgroundSession(_) => Role::FindBackgroundSession,
        _ => Role::Waiting,
    };
    Facts {
        number,
        role,
        ..Facts::default()
    }
}
