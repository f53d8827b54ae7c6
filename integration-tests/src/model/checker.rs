//! Checks the promises in every state of every schedule against the facts.

use std::fmt;

use token_cache_core::SessionId;

use super::{
    facts::{Facts, Outcome, Role, Scope, SignInFacts, SignOutFacts},
    world::Inner,
};

/// The margin of a sign-in without an `auth_time`, in milliseconds.
const MARGIN: u64 = 5_000;

/// A promise that a schedule breaks, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Violation {
    /// Name of the promise, such as `G1`.
    pub(super) promise: &'static str,
    /// How it is broken.
    pub(super) how: &'static str,
}

/// What a sign-out must do to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// End it, or refuse its sign-in.
    End,
    /// Both outcomes are correct.
    Either,
    /// Leave it.
    Spare,
}

/// Returns the first promise that is broken in this state.
pub(super) fn check(inner: &Inner) -> Option<Violation> {
    let living = inner.state.living(inner.clock());
    for (actor, session_id) in &inner.ended_now {
        if !may_end(inner, *actor, session_id) {
            return Some(broken("G4", "a session ended for no sign-out of its own"));
        }
    }
    for facts in inner.seats.iter().map(|seat| &seat.facts) {
        let found = match (&facts.role, &facts.outcome) {
            (Role::SignIn(sign_in), Some(outcome)) => {
                signed_in(inner, &living, facts, sign_in, outcome)
            }
            (Role::SignOut(_), Some(Outcome::SignedOut(ended))) => reported(inner, facts, *ended),
            (Role::Write(of), Some(Outcome::Written)) => written(inner, &living, facts, *of),
            (Role::Remove(of), Some(Outcome::Removed)) => removed(inner, facts, *of),
            (Role::Read(of), Some(outcome)) => read(inner, facts, *of, outcome),
            (Role::FindBackgroundSession, Some(Outcome::Found(found))) => {
                background_sessions(inner, facts, found)
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

const fn broken(promise: &'static str, how: &'static str) -> Violation {
    Violation { promise, how }
}

fn sign_outs(inner: &Inner) -> impl Iterator<Item = (&Facts, &SignOutFacts)> {
    let facts = inner.seats.iter().map(|seat| &seat.facts);
    facts.filter_map(|facts| facts.sign_out().map(|sign_out| (facts, sign_out)))
}

/// Checks a sign-in that has finished.
fn signed_in(
    inner: &Inner,
    living: &[SessionId],
    facts: &Facts,
    sign_in: &SignInFacts,
    outcome: &Outcome,
) -> Option<Violation> {
    match outcome {
        Outcome::SignedIn(session_id) if living.contains(session_id) => {
            let ended = sign_outs(inner).any(|(by, sign_out)| {
                by.succeeded() && verdict(inner, sign_out, facts) == Verdict::End
            });
            if ended {
                return Some(broken(
                    "G1, G2",
                    "a sign-out has returned Ok, and the ticket of a session that it ends still opens it",
                ));
            }
            None
        }
        Outcome::Refused => {
            let overtaken = sign_outs(inner)
                .any(|(_, sign_out)| verdict(inner, sign_out, facts) != Verdict::Spare);
            if !overtaken && inner.now < sign_in.not_after {
                return Some(broken(
                    "G2",
                    "a sign-in was refused that no sign-out overtook",
                ));
            }
            let others = |session_id| {
                let sign_ins = inner.seats.iter().map(|seat| &seat.facts);
                let mut others = sign_ins.filter(|other| other.number != facts.number);
                others.any(|other| {
                    other
                        .sign_in()
                        .is_some_and(|of| of.session_ids.contains(session_id))
                })
            };
            let mut session_ids = sign_in.session_ids.iter();
            let left =
                session_ids.any(|session_id| living.contains(session_id) && !others(session_id));
            if left && !inner.seats[facts.number].hit {
                return Some(broken(
                    "G2",
                    "a sign-in was refused, and its session was left behind",
                ));
            }
            None
        }
        _ => None,
    }
}

/// Checks the `ended` that a sign-out reports. Skipped if a fault made it try again.
fn reported(inner: &Inner, facts: &Facts, ended: bool) -> Option<Violation> {
    if inner.seats[facts.number].hit || ended != facts.ended_sessions.is_empty() {
        return None;
    }
    Some(broken(
        "G4",
        "a sign-out does not say truthfully whether it ended something",
    ))
}

fn written(inner: &Inner, living: &[SessionId], facts: &Facts, of: usize) -> Option<Violation> {
    if began_after_the_end(inner, facts, of) {
        return Some(broken(
            "G2",
            "a write into a session that had ended was acknowledged",
        ));
    }
    let session_id = ticket(inner, of)?;
    let there = inner.state.entries.keys().any(|(_, of)| of == session_id);
    if living.contains(session_id) && !there {
        return Some(broken(
            "G4",
            "an acknowledged write is gone, and its session lives",
        ));
    }
    None
}

/// Checks a removal that began after all writes had returned `Ok`.
fn removed(inner: &Inner, facts: &Facts, of: usize) -> Option<Violation> {
    let landed_after = facts.landed_after.as_ref()?;
    let seats = inner.seats.iter().map(|seat| &seat.facts);
    let mut creators = seats.filter(|by| matches!(by.role, Role::Create));
    if !creators.all(|by| landed_after[by.number]) {
        return None;
    }
    let session_id = ticket(inner, of)?;
    if inner.state.entries.keys().any(|(_, of)| of == session_id) {
        return Some(broken(
            "G2",
            "an entry is there again although its removal was acknowledged",
        ));
    }
    None
}

fn read(inner: &Inner, facts: &Facts, of: usize, outcome: &Outcome) -> Option<Violation> {
    match outcome {
        Outcome::Token if began_after_the_end(inner, facts, of) => Some(broken(
            "G1",
            "a read that began after the sign-out returned Ok gave a token",
        )),
        Outcome::Miss if wrote_before(inner, facts, of) => Some(broken(
            "G4",
            "a read missed an entry whose write was acknowledged",
        )),
        _ => None,
    }
}

fn background_sessions(inner: &Inner, facts: &Facts, found: &[SessionId]) -> Option<Violation> {
    let owned = |of: &Facts| {
        let sign_in = of.sign_in();
        sign_in.is_some_and(|of| {
            of.session_ids
                .iter()
                .any(|session_id| found.contains(session_id))
        })
    };
    let sign_ins = inner.seats.iter().map(|seat| &seat.facts);
    let mut owners = sign_ins.filter(|of| owned(of));
    if owners.any(|of| began_after_the_end(inner, facts, of.number)) {
        return Some(broken("G1", "a background session outlived its session"));
    }
    None
}

/// Returns `true` if the actor's first request reached the server after a sign-out that ends the session of sign-in `of` had returned.
fn began_after_the_end(inner: &Inner, facts: &Facts, of: usize) -> bool {
    let Some(landed_after) = &facts.landed_after else {
        return false;
    };
    let session = &inner.seats[of].facts;
    sign_outs(inner).any(|(by, sign_out)| {
        landed_after[by.number] && verdict(inner, sign_out, session) == Verdict::End
    })
}

fn wrote_before(inner: &Inner, facts: &Facts, of: usize) -> bool {
    let writers = inner.seats.iter().map(|seat| &seat.facts);
    let mut writers = writers.filter(|writer| matches!(writer.role, Role::Write(by) if by == of));
    let landed_after = facts.landed_after.as_ref();
    landed_after.is_some_and(|landed_after| writers.any(|writer| landed_after[writer.number]))
}

fn ticket(inner: &Inner, of: usize) -> Option<&SessionId> {
    match &inner.seats[of].facts.outcome {
        Some(Outcome::SignedIn(session_id)) => Some(session_id),
        _ => None,
    }
}

/// Returns `true` if `actor` may end the session `session_id`.
fn may_end(inner: &Inner, actor: usize, session_id: &SessionId) -> bool {
    let sign_ins = inner.seats.iter().map(|seat| &seat.facts);
    let mut owners = sign_ins.filter(|facts| {
        let sign_in = facts.sign_in();
        sign_in.is_some_and(|sign_in| sign_in.session_ids.contains(session_id))
    });
    match inner.seats[actor].facts.sign_out() {
        None => owners.any(|owner| owner.number == actor),
        Some(sign_out) => owners.any(|owner| verdict(inner, sign_out, owner) != Verdict::Spare),
    }
}

/// Returns what a sign-out must do to the session of a sign-in.
fn verdict(inner: &Inner, sign_out: &SignOutFacts, facts: &Facts) -> Verdict {
    let Some(sign_in) = facts.sign_in() else {
        return Verdict::Spare;
    };
    let sid = sign_in.authenticated.map(|authenticated| authenticated.sid);
    let with_that_sid = |with: u8| sign_in.with_sid && sid == Some(with);
    match sign_out.scope {
        Scope::Ticket(of) if of == facts.number => Verdict::End,
        Scope::Account {
            account,
            by_provider,
        } if account == sign_in.account => {
            if by_provider {
                by_authentication(inner, sign_out, sign_in)
            } else {
                by_request(sign_out, sign_in)
            }
        }
        Scope::Sid(with) if with_that_sid(with) => by_request(sign_out, sign_in),
        Scope::Message { sid: with, .. } if with_that_sid(with) => Verdict::End,
        Scope::Message { named, .. } if named == Some(sign_in.account) && !sign_in.with_sid => {
            by_authentication(inner, sign_out, sign_in)
        }
        Scope::MessageOfAccounts(with) if with_that_sid(with) => Verdict::End,
        Scope::MessageOfAccounts(with) => {
            let under = inner.seats.iter().filter_map(|seat| seat.facts.sign_in());
            let reached = under.filter(|other| {
                other.account == sign_in.account
                    && other.with_sid
                    && other.authenticated.map(|authenticated| authenticated.sid) == Some(with)
            });
            if reached.count() > 0 && by_authentication(inner, sign_out, sign_in) != Verdict::Spare
            {
                Verdict::Either
            } else {
                Verdict::Spare
            }
        }
        Scope::Issuer => by_request(sign_out, sign_in),
        Scope::Ticket(_) | Scope::Account { .. } | Scope::Sid(_) | Scope::Message { .. } => {
            Verdict::Spare
        }
    }
}

/// The app's own sign-outs end the sessions that were requested before them.
fn by_request(sign_out: &SignOutFacts, sign_in: &SignInFacts) -> Verdict {
    match (sign_in.requested, sign_out.cutoff_times.last()) {
        (Some(requested), Some(cutoff)) if requested <= *cutoff => Verdict::End,
        _ => Verdict::Spare,
    }
}

/// A provider's message ends the sessions that were authenticated before it. No clock can tell whether a single sign-on was requested
/// before or after it.
fn by_authentication(inner: &Inner, sign_out: &SignOutFacts, sign_in: &SignInFacts) -> Verdict {
    let (Some(authenticated), Some(issued)) =
        (sign_in.authenticated, sign_out.cutoff_times.first())
    else {
        return Verdict::Spare;
    };
    let asked_before = sign_in.requested.is_some_and(|asked| asked < *issued);
    if !sign_in.auth_time && (authenticated.at > *issued || !asked_before) {
        // Only the request is known. It was made on another clock, so a margin is subtracted.
        let requested_at = sign_in.requested.unwrap_or_default().saturating_sub(MARGIN);
        if requested_at > issued.saturating_add_signed(inner.skew) {
            return Verdict::Spare;
        }
        return Verdict::Either;
    }
    if authenticated.at > *issued {
        Verdict::Spare
    } else if asked_before {
        Verdict::End
    } else {
        Verdict::Either
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is broken: {}", self.promise, self.how)
    }
}
