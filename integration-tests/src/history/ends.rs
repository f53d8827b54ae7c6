use std::collections::HashMap;

use super::{Account, Event, Op, Outcome, Scope, SessionNumber, Sid, Span};
use crate::clock::Tick;

/// A sign-in in the history.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) account: Account,
    pub(super) sid: Option<Sid>,
    pub(super) auth_time: u64,
    pub(super) requested: Span,
}

/// The end of a session, as derived from the sign-outs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// The session has certainly ended from here on: a sign-out returned `Ok` here.
    pub(super) certain: Tick,
    /// When that sign-out began.
    pub(super) certain_began: Tick,
    /// The session may have ended from here on: a sign-out began here, whatever its outcome.
    pub(super) possible: Tick,
    /// From here on no server may serve a near-cache entry: a sign-out that waits returned `Ok` here.
    pub(super) everywhere: Tick,
    /// From here on servers may serve near-cache entries for the stated time only: a sign-out that does not wait returned `Ok` here.
    pub(super) at_once: Tick,
}

impl End {
    /// Returns `true` if a read that began at `start` must not return tokens. Near-cache entries may outlive a sign-out
    /// that does not wait by `cached_reads_outlive` milliseconds.
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
    /// The sessions that were requested before it, and no others.
    OfStore,
    /// The sessions that were authenticated up to this time of the provider's clock.
    OfProvider(u64),
    /// All sessions with the `sid`, also later ones.
    Forever,
}

struct SignOut {
    span: Span,
    certain: bool,
    at_once: bool,
    reach: Reach,
}

/// The sign-outs of a history, by their scope.
#[derive(Default)]
pub(super) struct Ends {
    sessions: HashMap<SessionNumber, Vec<SignOut>>,
    accounts: HashMap<Account, Vec<SignOut>>,
    /// Sign-outs of an account's sessions without a `sid`.
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

    /// Returns the end of a session. `slack` is the largest difference between two servers' estimates of the store's clock.
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
                Reach::OfProvider(cutoff) => {
                    let ended = begun.auth_time <= *cutoff;
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
