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

/// Several app servers that share a cache, and the history of all operations that they were given.
#[derive(Debug)]
pub struct Fleet {
    program: Program,
    settings: Vec<Settings>,
    servers: Vec<Server>,
    history: Mutex<Vec<Event>>,
    random: Mutex<Random>,
}

/// An operation in progress in an app server of a fleet.
#[derive(Debug)]
#[must_use = "the outcome is lost"]
pub struct Running<'a> {
    fleet: &'a Fleet,
    event: usize,
    pending: Pending,
}

impl Fleet {
    /// Starts an app server on each of these URLs. All of them have the same secret.
    ///
    /// # Errors
    /// One of them does not start.
    pub fn start(program: Program, urls: &[String]) -> Result<Self, StartError> {
        Self::start_refreshing(program, urls, RefreshSettings::default())
    }

    /// Starts app servers with these refresh settings.
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

    /// Returns the number of app servers.
    pub fn len(&self) -> usize {
        self.servers.len()
    }

    /// Returns `true` if there is no app server.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// Returns the app server number `at`.
    pub fn server(&self, at: usize) -> &Server {
        &self.servers[at]
    }

    /// Returns the settings that the app server number `at` was started with.
    pub fn settings(&self, at: usize) -> &Settings {
        &self.settings[at]
    }

    /// Starts another app server in the place of number `at`, and kills that one if it is running.
    ///
    /// # Errors
    /// It does not start.
    pub fn replace(&mut self, at: usize) -> Result<(), StartError> {
        self.servers[at].kill9();
        self.servers[at] = Server::start(&self.program, &self.settings[at])?;
        Ok(())
    }

    /// Starts one more app server on this URL, with the fleet's secret. Returns its number.
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

    /// Returns an account that was not returned before.
    pub fn account(&self) -> Account {
        Account {
            issuer: 0,
            subject: self.number(),
        }
    }

    /// Returns a number that was not returned before.
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

    /// Starts a sign-in at the app server number `at`. Returns the time of its request.
    pub fn start_sign_in(&self, at: usize) -> Option<Answer> {
        self.servers[at].start_sign_in()
    }

    /// Runs a sign-in's callback. Any app server may have made the request.
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

    /// Signs in at the app server number `at`: request and callback.
    ///
    /// # Errors
    /// The outcome, if it is not success.
    pub fn sign_in(&self, at: usize, user: User) -> Result<Ticketed, Outcome> {
        let started = self.start_sign_in(at).ok_or(Outcome::Unknown)?;
        let (session, callback) = self.call_back(at, user, &started);
        ticketed(session, user.account, callback.wait())
    }

    /// Writes the first entry unconditionally at the app server number `at`.
    pub fn put(&self, at: usize, of: &Ticketed) -> Outcome {
        self.begin(at, self.putting(of, None)).wait().outcome
    }

    /// Returns a task that writes the first entry. If there is a `read`, it replaces what that found.
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

    /// Returns a task that reads the first entry.
    pub fn getting(of: &Ticketed) -> Task {
        Task::with_ticket(
            Op::Get {
                session: of.session,
                entry: 0,
            },
            &of.ticket,
        )
    }

    /// Reads the first entry at the app server number `at`.
    pub fn get(&self, at: usize, of: &Ticketed) -> Answer {
        self.begin(at, Self::getting(of)).wait()
    }

    /// Resumes a session with its ticket at the app server number `at`.
    pub fn resume(&self, at: usize, of: &Ticketed) -> Outcome {
        let op = Op::Resume {
            session: of.session,
        };
        self.begin(at, Task::with_ticket(op, &of.ticket))
            .wait()
            .outcome
    }

    /// Returns a task that signs one session out.
    pub fn signing_out(of: &Ticketed) -> Task {
        Task::with_ticket(Op::SignOut(Scope::Session(of.session)), &of.ticket)
    }

    /// Signs one session out at the app server number `at`.
    pub fn sign_out(&self, at: usize, of: &Ticketed) -> Outcome {
        self.begin(at, Self::signing_out(of)).wait().outcome
    }

    /// Signs out at the app server number `at`, with any scope but one session.
    pub fn sign_out_scope(&self, at: usize, scope: Scope) -> Answer {
        self.begin(at, Task::new(Op::SignOut(scope))).wait()
    }

    /// Signs out without waiting for other servers' near caches.
    pub fn sign_out_at_once(&self, at: usize, scope: Scope) -> Answer {
        self.begin(at, Task::new(Op::SignOutAtOnce(scope))).wait()
    }

    /// Adds an operation that was done to the store from outside.
    pub fn record(&self, event: Event) {
        lock(&self.history).push(event);
    }

    /// Returns all operations so far.
    pub fn history(&self) -> Vec<Event> {
        lock(&self.history).clone()
    }

    /// Checks all operations so far.
    ///
    /// # Panics
    /// Panics if a promise was broken.
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
    /// Waits until it ends. If its process was killed, the outcome is unknown.
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
