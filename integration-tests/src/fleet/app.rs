mod broken_backplane;
mod broken_near_cache;
mod cached;
mod naive;
mod plain;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use token_cache::{ErrorKind, TokenCache};

pub(crate) use self::broken_near_cache::LEASE as BROKEN_LEASE;
use self::{naive::NaiveTable, plain::PlainCache};
use super::{
    Design,
    refresh::{self, RefreshSettings, Refreshed, Refreshing},
    wire::{Answer, Task},
};
use crate::{
    clock::Tick,
    history::{Account, Op, Outcome, SessionNumber, Span, WriteId},
};

/// The cache of an app server.
#[derive(Debug)]
pub(super) enum App {
    Cached(TokenCache),
    Plain(PlainCache),
    Naive(NaiveTable),
}

/// The reason why an operation failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: String,
    pub(super) maybe: bool,
    pub(super) message: String,
    pub(super) signed_out: bool,
}

/// The outcome of an operation, and the text that it returned.
type Ended = Result<(Outcome, Option<String>), Failure>;

impl App {
    pub(super) async fn open(
        url: &str,
        design: Design,
        policy: RefreshSettings,
    ) -> Result<Self, Failure> {
        match design {
            Design::TokenCache => {
                let builder = token_cache::builder(url)?.refresh(policy.into());
                Ok(Self::Cached(builder.open().await?))
            }
            Design::CachesWithoutLease | Design::CountersReadLate => {
                Ok(Self::Cached(broken_near_cache::open(url, design).await?))
            }
            Design::Plain => PlainCache::open(url).await.map(Self::Plain),
            Design::DeleteByQuery | Design::LateCounter | Design::RecreatedHead => {
                NaiveTable::open(url, design).map(Self::Naive)
            }
        }
    }

    /// Returns `true` if the cache stores sessions. Without them, a read must find tokens before there is anything to write.
    pub(super) fn knows_sessions(&self) -> bool {
        matches!(self, Self::Cached(_))
    }

    /// Starts a sign-in. Returns the time of its request as the text for the state cookie.
    pub(super) fn start_sign_in(&self) -> Answer {
        let start = Tick::now();
        let ended = match self {
            Self::Cached(cache) => cached::start_sign_in(cache),
            Self::Plain(_) | Self::Naive(_) => Ok((Outcome::Done, None)),
        };
        answer(start, ended)
    }

    pub(super) async fn carry_out(&self, task: &Task) -> Answer {
        let start = Tick::now();
        let work = Box::pin(async {
            match self {
                Self::Cached(cache) => cached::carry_out(cache, task).await,
                Self::Plain(cache) => cache.carry_out(task).await,
                Self::Naive(table) => table.carry_out(task).await,
            }
        });
        match task.polls {
            None => answer(start, work.await),
            Some(polls) => match (Impatient { work, polls }).await {
                Some(ended) => answer(start, ended),
                // The operation itself may continue without a limit.
                None => Answer {
                    span: Span {
                        start,
                        end: Tick::NEVER,
                    },
                    outcome: Outcome::Unknown,
                    text: None,
                    message: None,
                },
            },
        }
    }

    /// Returns the result of each caller. The result is empty for caches that never refresh.
    pub(super) async fn refresh(&self, ticket: &str, asked: Refreshing) -> Vec<Refreshed> {
        match self {
            Self::Cached(cache) => refresh::carry_out(cache, ticket, asked).await,
            Self::Plain(_) | Self::Naive(_) => Vec::new(),
        }
    }
}

fn answer(start: Tick, ended: Ended) -> Answer {
    let span = Span {
        start,
        end: Tick::now(),
    };
    match ended {
        Ok((outcome, text)) => Answer {
            span,
            outcome,
            text,
            message: None,
        },
        Err(Failure {
            kind,
            maybe,
            message,
            signed_out,
        }) => {
            let outcome = if signed_out {
                Outcome::SignedOut
            } else {
                Outcome::Failed { kind, maybe }
            };
            Answer {
                span,
                outcome,
                text: None,
                message: Some(message),
            }
        }
    }
}

/// A future that is dropped after a number of polls.
pub(super) struct Impatient<F> {
    pub(super) work: Pin<Box<F>>,
    pub(super) polls: usize,
}

impl<F: Future> Future for Impatient<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        match self.work.as_mut().poll(context) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending if self.polls == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl From<token_cache::Error> for Failure {
    fn from(error: token_cache::Error) -> Self {
        Self {
            kind: format!("{:?}", error.kind()),
            maybe: error.may_have_applied(),
            message: error.to_string(),
            signed_out: matches!(
                error.kind(),
                ErrorKind::SignedOut | ErrorKind::SignInRevoked
            ),
        }
    }
}

/// Returns an error of the harness itself.
fn misled(message: &str) -> Failure {
    Failure {
        kind: "Harness".to_owned(),
        maybe: false,
        message: message.to_owned(),
        signed_out: false,
    }
}

fn needed<'a>(part: Option<&'a String>, what: &str) -> Result<&'a str, Failure> {
    part.map(String::as_str)
        .ok_or_else(|| misled(&format!("the task has no {what}")))
}

/// Returns the tokens of one write. They contain their session and their write.
fn tokens(session: SessionNumber, write: WriteId, padding: usize) -> Vec<u8> {
    let mut tokens = format!("{} {} ", session.0, write.0).into_bytes();
    tokens.resize(tokens.len() + padding, b'.');
    tokens
}

fn found(tokens: &[u8]) -> Result<Outcome, Failure> {
    let text = String::from_utf8_lossy(tokens);
    let mut words = text.split(' ').map(str::parse);
    match (words.next(), words.next()) {
        (Some(Ok(of)), Some(Ok(write))) => Ok(Outcome::Found {
            of: SessionNumber(of),
            write: WriteId(write),
        }),
        _ => Err(misled("a read returned bytes that no write stored")),
    }
}

fn issuer(number: u32) -> String {
    format!("https://issuer-{number}.example")
}

fn subject(account: Account) -> String {
    format!("user-{}", account.subject)
}

/// Returns `true` for an operation that changes nothing in the store.
pub(super) fn is_read(op: &Op) -> bool {
    matches!(op, Op::Get { .. } | Op::Resume { .. })
}
