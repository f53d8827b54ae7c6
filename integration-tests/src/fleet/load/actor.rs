use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::sleep;

use super::{Mix, Shared};
use crate::{
    clock::Tick,
    fleet::{
        app::is_read,
        random::Random,
        wire::{Answer, Known, Task},
    },
    history::{Account, Op, Outcome, Scope, SessionNumber, Sid, WriteId},
};

const ISSUERS: u64 = 3;
const ENTRIES: u64 = 2;
const SIDS_AT_ONCE: u64 = 200;
/// Maximum time of a provider's token endpoint, and of the delivery of a message, in milliseconds.
const SLOW: u64 = 60;
const SIGN_OUT_ATTEMPTS: usize = 4;
const AFTER_FAILURE: Duration = Duration::from_millis(20);

/// A succession of users with random actions.
pub(super) struct Actor {
    shared: Arc<Shared>,
    random: Random,
    mix: Mix,
}

impl Actor {
    pub(super) fn new(shared: Arc<Shared>, random: Random, mix: Mix) -> Self {
        Self {
            shared,
            random,
            mix,
        }
    }

    pub(super) async fn act(mut self) {
        while !self.shared.stopping.load(Ordering::Relaxed) {
            match self.shared.pool.choose(&mut self.random) {
                Some(known) => self.act_on(&known).await,
                None if self.mix.sign_in > 0 => self.sign_in().await,
                None => sleep(AFTER_FAILURE).await,
            }
            if let Some(rest) = self.mix.rest {
                sleep(rest).await;
            }
        }
    }

    async fn act_on(&mut self, known: &Known) {
        let Mix {
            sign_in,
            read,
            resume,
            write,
            refresh,
            ..
        } = self.mix;
        let mut left = self.random.below(100);
        let mut falls_to = |share: u64| match left.checked_sub(share) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        };
        if falls_to(sign_in) {
            self.sign_in().await;
        } else if falls_to(read) {
            let entry = self.entry();
            self.read(known, entry).await;
        } else if falls_to(resume) {
            self.resume(known).await;
        } else if falls_to(write) {
            if self.shared.app.knows_sessions() {
                self.write(known, None).await;
            } else {
                self.refresh(known).await;
            }
        } else if falls_to(refresh) {
            self.refresh(known).await;
        } else {
            self.sign_out(known).await;
        }
    }

    async fn sign_in(&mut self) {
        let started = self.shared.app.start_sign_in();
        let account = self.account();
        let sid = self.random.percent(60).then(|| Sid {
            issuer: account.issuer,
            number: self.slot() * SIDS_AT_ONCE + self.random.below(SIDS_AT_ONCE),
        });
        let now = Tick::now().millis();
        // Some sign in by single sign-on, with an authentication of a while ago.
        let auth_time = if self.random.percent(30) {
            now - self.random.below(500)
        } else {
            now
        };
        self.pause(50).await;
        let session = SessionNumber(self.random.number());
        let requested = started.span;
        let op = Op::SignIn {
            session,
            account,
            sid,
            auth_time,
            requested,
        };
        let mut task = Task::new(op);
        task.started = started.text;
        let Answer {
            outcome: Outcome::Done,
            text: Some(ticket),
            ..
        } = self.carry_out(task).await
        else {
            return;
        };
        let known = Known {
            session,
            account,
            sid,
            ticket,
        };
        self.shared.pool.add(known.clone());
        self.write(&known, None).await;
        (self.shared.begun)(known);
    }

    async fn read(&mut self, known: &Known, entry: u8) -> Answer {
        let op = Op::Get {
            session: known.session,
            entry,
        };
        let answer = self.carry_out(Task::with_ticket(op, &known.ticket)).await;
        if answer.outcome == Outcome::SignedOut && self.random.percent(20) {
            self.shared.pool.forget(known.session);
        }
        answer
    }

    async fn resume(&mut self, known: &Known) {
        let op = Op::Resume {
            session: known.session,
        };
        self.carry_out(Task::with_ticket(op, &known.ticket)).await;
    }

    async fn write(&mut self, known: &Known, over: Option<(u8, WriteId, Option<String>)>) {
        let write = WriteId(self.random.number());
        let (entry, over, version) = match over {
            None => (self.entry(), None, None),
            // A cache without versions replaces any value.
            Some((entry, over, version)) => (entry, version.as_ref().map(|_| over), version),
        };
        let op = Op::Put {
            session: known.session,
            entry,
            write,
            over,
        };
        let mut task = Task::with_ticket(op, &known.ticket);
        task.version = version;
        task.padding = 500;
        self.carry_out(task).await;
    }

    /// Reads, waits as at a provider's token endpoint, and writes over what it read.
    async fn refresh(&mut self, known: &Known) {
        let entry = self.entry();
        let answer = self.read(known, entry).await;
        if let Outcome::Found { write, .. } = answer.outcome {
            self.pause(90).await;
            self.write(known, Some((entry, write, answer.text))).await;
        }
    }

    async fn sign_out(&mut self, known: &Known) {
        let scope = self.scope(known);
        let is_message = matches!(scope, Scope::Message { .. });
        if is_message {
            self.pause(60).await;
        }
        let deliveries = if is_message && self.random.percent(20) {
            2
        } else {
            1
        };
        for _ in 0..deliveries {
            for _ in 0..SIGN_OUT_ATTEMPTS {
                let op = self.signing_out(scope.clone());
                let answer = self.carry_out(Task::with_ticket(op, &known.ticket)).await;
                if !matches!(answer.outcome, Outcome::Failed { .. }) {
                    break;
                }
            }
        }
    }

    fn signing_out(&self, scope: Scope) -> Op {
        // Sign-outs of many accounts always wait.
        let of_many = matches!(scope, Scope::Accounts(_) | Scope::Issuer(_));
        if self.shared.at_once && !of_many {
            Op::SignOutAtOnce(scope)
        } else {
            Op::SignOut(scope)
        }
    }

    fn scope(&mut self, known: &Known) -> Scope {
        let issued_at = Tick::now().millis();
        match (self.random.below(100), known.sid) {
            (0..30, _) => Scope::Account(known.account),
            (30..50, _) => Scope::Session(known.session),
            (50..60, Some(sid)) => Scope::ProviderSession(sid),
            (60..70, Some(sid)) => Scope::Message {
                account: None,
                sid: Some(sid),
                issued_at,
            },
            (70..80, Some(sid)) => Scope::Message {
                account: Some(known.account),
                sid: Some(sid),
                issued_at,
            },
            (80..81, _) => Scope::Issuer(known.account.issuer),
            (81..85, _) => {
                let mut accounts = vec![known.account];
                accounts.extend((0..5).map(|_| self.account()));
                Scope::Accounts(accounts)
            }
            _ => Scope::Message {
                account: Some(known.account),
                sid: None,
                issued_at,
            },
        }
    }

    /// Carries one operation out and logs it.
    async fn carry_out(&mut self, task: Task) -> Answer {
        let Shared { app, log, .. } = &*self.shared;
        let logged = if is_read(&task.op) {
            let answer = app.carry_out(&task).await;
            let logged = log.whole(answer.span, task.op, answer.outcome.clone());
            logged.map(|()| answer)
        } else {
            match log.begins(&task.op) {
                Err(error) => Err(error),
                Ok(started) => {
                    let answer = app.carry_out(&task).await;
                    let logged = log.ended(&started, answer.span.end, answer.outcome.clone());
                    logged.map(|()| answer)
                }
            }
        };
        let answer = match logged {
            Ok(answer) => answer,
            Err(error) => die(&error),
        };
        if matches!(answer.outcome, Outcome::Failed { .. }) {
            sleep(AFTER_FAILURE).await;
        }
        answer
    }

    /// Waits up to `SLOW` milliseconds in `percent` of a hundred cases.
    async fn pause(&mut self, percent: u64) {
        if self.random.percent(percent) {
            sleep(Duration::from_millis(self.random.below(SLOW))).await;
        }
    }

    fn account(&mut self) -> Account {
        let issuer = u32::try_from(self.random.below(ISSUERS)).unwrap_or_default();
        let at_once = self.mix.accounts_at_once;
        let subject = self.slot() * at_once + self.random.below(at_once);
        Account { issuer, subject }
    }

    fn slot(&self) -> u64 {
        Tick::now().millis() / self.mix.accounts_live
    }

    fn entry(&mut self) -> u8 {
        u8::try_from(self.random.below(ENTRIES)).unwrap_or_default()
    }
}

/// Ends the process. A history with a gap proves nothing.
pub(super) fn die(error: &std::io::Error) -> ! {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "the log cannot be written: {error}");
    std::process::exit(1)
}
