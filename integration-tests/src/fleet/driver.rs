use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    Design,
    random::Random,
    refresh::RefreshSettings,
    server::{Pending, Program, Server, Settings, StartError},
    user::{Ticketed, User, ticketed},
    wire::{Answer, Task},
};
use crate::{
    clock::Tick,
    history::{
        Account, Event, Op, Outcome, Report, Rules, Scope, SessionNumber, Span, WriteId, check,
    },
};

/// Several app servers that share a cache, and the history of all they were told to do.
#[derive(Debug)]
pub struct Fleet {
    program: Program,
    settings: Vec<Settings>,
    servers: Vec<Server>,
    history: Mutex<Vec<Event>>,
    random: Mutex<Random>,
}

/// An operation under way in an app server of a fleet.
#[derive(Debug)]
#[must_use = "nobody sees how it ends"]
pub struct Running<'a> {
    fleet: &'a Fleet,
    event: usize,
    pending: Pending,
}

impl Fleet {
    /// Starts an app server on each of these URLs, with one secret.
    ///
    /// # Errors
    /// One of them does not start.
    pub fn start(program: Program, urls: &[String]) -> Result<Self, StartError> {
        Self::start_refreshing(program, urls, RefreshSettings::default())
    }

    /// The same, of app servers that refresh so.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_refreshing(
        program: Program,
        urls: &[String],
        refresh: RefreshSettings,
    ) -> Result<Self, StartError> {
        let mut random = Random::unseeded();
        let secret = format!("{:016x}{:016x}", random.number(), random.number());
        let settings: Vec<Settings> = urls
            .iter()
            .map(|url| Settings {
                url: url.clone(),
                secret: secret.clone(),
                design: Design::default(),
                log: None,
                refresh,
            })
            .collect();
        let servers = settings
            .iter()
            .map(|settings| Server::start(&program, settings))
            .collect::<Result<_, _>>()?;
        let (history, random) = (Mutex::default(), Mutex::new(random));
        Ok(Self {
            program,
            settings,
            servers,
            history,
            random,
        })
    }

    /// How many app servers there are.
    pub fn len(&self) -> usize {
        self.servers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// The app server number `at`.
    pub fn server(&self, at: usize) -> &Server {
        &self.servers[at]
    }

    /// What the app server number `at` was started with.
    pub fn settings(&self, at: usize) -> &Settings {
        &self.settings[at]
    }

    /// Starts another in the place of number `at`, which is killed if it lives.
    ///
    /// # Errors
    /// It does not start.
    pub fn replace(&mut self, at: usize) -> Result<(), StartError> {
        self.servers[at].kill9();
        self.servers[at] = Server::start(&self.program, &self.settings[at])?;
        Ok(())
    }

    /// Starts one more on this URL, with the fleet's secret, and answers with its number.
    ///
    /// # Errors
    /// It does not start.
    pub fn join(&mut self, url: String) -> Result<usize, StartError> {
        let secret = self
            .settings
            .first()
            .map(|first| first.secret.clone())
            .unwrap_or_default();
        let settings = Settings {
            url,
            secret,
            design: Design::default(),
            log: None,
            refresh: RefreshSettings::default(),
        };
        self.servers.push(Server::start(&self.program, &settings)?);
        self.settings.push(settings);
        Ok(self.servers.len() - 1)
    }

    /// A user whom nobody has seen before.
    pub fn account(&self) -> Account {
        Account {
            issuer: 0,
            subject: self.number(),
        }
    }

    /// A number that was not given before.
    pub fn number(&self) -> u64 {
        lock(&self.random).number()
    }

    /// Begins an operation in the app server number `at`.
    pub fn begin(&self, at: usize, task: Task) -> Running<'_> {
        let event = Event {
            process: u32::try_from(at).unwrap_or(u32::MAX),
            span: Span {
                start: Tick::now(),
                end: Tick::NEVER,
            },
            op: task.op.clone(),
            outcome: Outcome::Unknown,
        };
        let event = {
            let mut history = lock(&self.history);
            history.push(event);
            history.len() - 1
        };
        Running {
            fleet: self,
            event,
            pending: self.servers[at].begin(task),
        }
    }

    /// The moment of a sign-in's request at the app server number `at`.
    pub fn start_sign_in(&self, at: usize) -> Option<Answer> {
        self.servers[at].start_sign_in()
    }

    /// A sign-in's callback, for a request that was made at whichever app server.
    pub fn call_back(
        &self,
        at: usize,
        user: User,
        started: &Answer,
    ) -> (SessionNumber, Running<'_>) {
        let session = SessionNumber(self.number());
        let User {
            account,
            sid,
            auth_time,
        } = user;
        let op = Op::SignIn {
            session,
            account,
            sid,
            auth_time,
            requested: started.span,
        };
        let mut task = Task::new(op);
        task.started.clone_from(&started.text);
        (session, self.begin(at, task))
    }

    /// A sign-in at the app server number `at`, request and callback.
    ///
    /// # Errors
    /// How it ended, where that was not well.
    pub fn sign_in(&self, at: usize, user: User) -> Result<Ticketed, Outcome> {
        let started = self.start_sign_in(at).ok_or(Outcome::Unknown)?;
        let (session, callback) = self.call_back(at, user, &started);
        ticketed(session, user.account, callback.wait())
    }

    /// An unconditional write of the first entry at the app server number `at`.
    pub fn put(&self, at: usize, of: &Ticketed) -> Outcome {
        self.begin(at, self.putting(of, None)).wait().outcome
    }

    /// A task that writes the first entry: over what `read` found, where there is a read.
    pub fn putting(&self, of: &Ticketed, read: Option<&Answer>) -> Task {
        let over = read.and_then(|read| match read.outcome {
            Outcome::Found { write, .. } => Some(write),
            _ => None,
        });
        let write = WriteId(self.number());
        let op = Op::Put {
            session: of.session,
            entry: 0,
            write,
            over,
        };
        let mut task = Task::with_ticket(op, &of.ticket);
        task.version = read.and_then(|read| read.text.clone());
        task
    }

    /// A task that reads the first entry.
    pub fn getting(of: &Ticketed) -> Task {
        Task::with_ticket(
            Op::Get {
                session: of.session,
                entry: 0,
            },
            &of.ticket,
        )
    }

    /// A read of the first entry at the app server number `at`.
    pub fn get(&self, at: usize, of: &Ticketed) -> Answer {
        self.begin(at, Self::getting(of)).wait()
    }

    /// A ticket shown at the app server number `at`.
    pub fn resume(&self, at: usize, of: &Ticketed) -> Outcome {
        let op = Op::Resume {
            session: of.session,
        };
        self.begin(at, Task::with_ticket(op, &of.ticket))
            .wait()
            .outcome
    }

    /// A task that signs one session out.
    pub fn signing_out(of: &Ticketed) -> Task {
        Task::with_ticket(Op::SignOut(Scope::Session(of.session)), &of.ticket)
    }

    /// A sign-out of one session at the app server number `at`.
    pub fn sign_out(&self, at: usize, of: &Ticketed) -> Outcome {
        self.begin(at, Self::signing_out(of)).wait().outcome
    }

    /// A sign-out at the app server number `at` of anything but one session.
    pub fn sign_out_scope(&self, at: usize, scope: Scope) -> Answer {
        self.begin(at, Task::new(Op::SignOut(scope))).wait()
    }

    /// The same, which does not wait for other servers' copies.
    pub fn sign_out_at_once(&self, at: usize, scope: Scope) -> Answer {
        self.begin(at, Task::new(Op::SignOutAtOnce(scope))).wait()
    }

    /// Adds what was done to the store from outside.
    pub fn record(&self, event: Event) {
        lock(&self.history).push(event);
    }

    /// All that was done so far.
    pub fn history(&self) -> Vec<Event> {
        lock(&self.history).clone()
    }

    /// Checks all that was done so far.
    ///
    /// # Panics
    /// When a promise was broken.
    pub fn assert_kept(&self, rules: Rules) -> Report {
        let report = check(&lock(&self.history), rules);
        let first: Vec<String> = report
            .violations
            .iter()
            .take(5)
            .map(ToString::to_string)
            .collect();
        assert!(first.is_empty(), "{report}\n{}", first.join("\n"));
        report
    }
}

impl Running<'_> {
    /// Waits until it is over; one whose process was killed ended in a way that nobody knows.
    pub fn wait(self) -> Answer {
        let Self {
            fleet,
            event,
            pending,
        } = self;
        let answer = pending.wait();
        let mut history = lock(&fleet.history);
        let event = &mut history[event];
        match answer {
            Some(answer) => {
                (event.span, event.outcome) = (answer.span, answer.outcome.clone());
                answer
            }
            None => Answer {
                span: event.span,
                outcome: Outcome::Unknown,
                text: None,
                message: None,
            },
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
