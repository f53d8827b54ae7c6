use std::collections::HashMap;

use super::{Account, Event, Op, Outcome, Scope, SessionNumber, Sid, Span};
use crate::clock::Tick;

/// A sign-in as the history knows it.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) account: Account,
    pub(super) sid: Option<Sid>,
    pub(super) auth_time: u64,
    pub(super) requested: Span,
}

/// When a session ended, as far as the sign-outs tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// From here on it has ended for certain: some sign-out returned Ok here.
    pub(super) certain: Tick,
    /// When the sign-out that says so began.
    pub(super) certain_began: Tick,
    /// From here on it may have ended: some sign-out, whatever became of it, began here.
    pub(super) possible: Tick,
    /// From here on no server may serve a copy: some sign-out that waits for the copies returned Ok here.
    pub(super) everywhere: Tick,
    /// From here on servers may serve copies for the stated time only: some sign-out that does not wait returned Ok here.
    pub(super) at_once: Tick,
}

impl End {
    /// Whether it is broken that a read which began at `start` saw tokens, where copies may outlive by so many milliseconds a
    /// sign-out that does not wait.
    pub(super) fn forbids(&self, start: Tick, cached_reads_outlive: u64) -> bool {
        self.everywhere < start || self.at_once.plus_millis(cached_reads_outlive) < start
    }

    const NONE: Self = Self {
        certain: Tick::NEVER,
        certain_began: Tick::NEVER,
        possible: Tick::NEVER,
        everywhere: Tick::NEVER,
        at_once: Tick::NEVER,
    };
}

#[derive(Clone, Copy)]
enum Reach {
    /// Those requested before, and no others.
    OfStore,
    /// Those authenticated up to this moment of the provider's clock.
    OfProvider(u64),
    /// All that carry the label, also later ones.
    Forever,
}

struct SignOut {
    span: Span,
    certain: bool,
    at_once: bool,
    reach: Reach,
}

/// The sign-outs of a history, by what they name.
#[derive(Default)]
pub(super) struct Ends {
    sessions: HashMap<SessionNumber, Vec<SignOut>>,
    accounts: HashMap<Account, Vec<SignOut>>,
    /// Of an account's sessions without a label.
    without_sid: HashMap<Account, Vec<SignOut>>,
    sids: HashMap<Sid, Vec<SignOut>>,
    issuers: HashMap<u32, Vec<SignOut>>,
}

impl Ends {
    pub(super) fn of(events: &[Event]) -> Self {
        let mut ends = Self::default();
        for event in events {
            if let Op::SignOut(scope) | Op::SignOutAtOnce(scope) = &event.op {
                ends.add(event, scope);
            }
        }
        ends
    }

    fn add(&mut self, event: &Event, scope: &Scope) {
        let certain = matches!(event.outcome, Outcome::Done | Outcome::EndedNothing);
        let sign_out = |reach| SignOut {
            span: event.span,
            certain,
            at_once: matches!(event.op, Op::SignOutAtOnce(_)),
            reach,
        };
        match scope {
            Scope::Session(session) => {
                self.sessions
                    .entry(*session)
                    .or_default()
                    .push(sign_out(Reach::Forever));
            }
            Scope::Account(account) => {
                self.accounts
                    .entry(*account)
                    .or_default()
                    .push(sign_out(Reach::OfStore));
            }
            Scope::Accounts(accounts) => {
                for account in accounts {
                    self.accounts
                        .entry(*account)
                        .or_default()
                        .push(sign_out(Reach::OfStore));
                }
            }
            Scope::ProviderSession(sid) => {
                self.sids
                    .entry(*sid)
                    .or_default()
                    .push(sign_out(Reach::OfStore));
            }
            Scope::Issuer(issuer) => {
                self.issuers
                    .entry(*issuer)
                    .or_default()
                    .push(sign_out(Reach::OfStore));
            }
            Scope::Message {
                account,
                sid,
                issued_at,
            } => {
                let up_to = Reach::OfProvider(*issued_at);
                match (account, sid) {
                    (Some(account), Some(_)) => {
                        self.without_sid
                            .entry(*account)
                            .or_default()
                            .push(sign_out(up_to));
                    }
                    (Some(account), None) => {
                        self.accounts
                            .entry(*account)
                            .or_default()
                            .push(sign_out(up_to));
                    }
                    (None, _) => {}
                }
                if let Some(sid) = sid {
                    self.sids
                        .entry(*sid)
                        .or_default()
                        .push(sign_out(Reach::Forever));
                }
            }
        }
    }

    /// When a session ended. `slack` is how far two servers' readings of the store's clock may lie apart.
    pub(super) fn end(&self, session: SessionNumber, begun: &Begun, slack: u64) -> End {
        let by_sid = match &begun.sid {
            Some(sid) => self.sids.get(sid),
            None => self.without_sid.get(&begun.account),
        };
        let candidates = [
            self.sessions.get(&session),
            self.accounts.get(&begun.account),
            by_sid,
            self.issuers.get(&begun.account.issuer),
        ];
        let mut end = End::NONE;
        for sign_out in candidates.into_iter().flatten().flatten() {
            let SignOut {
                span,
                certain,
                at_once,
                reach,
            } = sign_out;
            let (surely_in_scope, maybe_in_scope) = match reach {
                Reach::Forever => (true, true),
                Reach::OfProvider(moment) => {
                    let ended = begun.auth_time <= *moment;
                    (ended, ended)
                }
                Reach::OfStore => (
                    begun.requested.before(span),
                    begun.requested.start <= span.end.plus_millis(slack),
                ),
            };
            if *certain && surely_in_scope {
                if span.end < end.certain {
                    (end.certain, end.certain_began) = (span.end, span.start);
                }
                let returned = if *at_once {
                    &mut end.at_once
                } else {
                    &mut end.everywhere
                };
                *returned = span.end.min(*returned);
            }
            if maybe_in_scope {
                end.possible = end.possible.min(span.start);
            }
        }
        end
    }
}
