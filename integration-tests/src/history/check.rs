use std::collections::HashMap;

use super::{
    Event, Op, Outcome, Promise, Report, SessionId, WriteId,
    ends::{Begun, End, Ends},
    entries,
};

/// What a history is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a test says what it holds a history to"
)]
pub struct Rules {
    /// Milliseconds by which two servers' readings of the store's clock may differ: twice the longest request that a
    /// server can have learnt it from.
    pub clock_slack: u64,
    /// Whether sessions and acknowledged writes must outlast everything but a sign-out; false where the run empties the
    /// store, or runs on one that gives no such promise.
    pub nothing_lost: bool,
    /// Whether each session and its tokens are its own; false for a cache that knows only accounts, in which nothing but
    /// the tokens that are read tells of sessions.
    pub isolated: bool,
}

impl Rules {
    /// All that token-cache promises.
    pub const ALL: Self = Self {
        clock_slack: 4_000,
        nothing_lost: true,
        isolated: true,
    };

    /// For a run that empties or replaces the store.
    pub const LOSING: Self = Self {
        nothing_lost: false,
        ..Self::ALL
    };

    /// Only that a sign-out is final: what can be asked of a plain cache.
    pub const FINAL: Self = Self {
        clock_slack: 4_000,
        nothing_lost: false,
        isolated: false,
    };
}

/// Looks for broken promises in a whole history, in any order of events.
///
/// - **G1**: a read, or a ticket shown, that began after a sign-out had returned Ok sees a session that it ended.
/// - **G2**: what is seen was written by a write that ended after the sign-out; a write or a sign-in is accepted that the
///   sign-out had ended before; a session ends that only an older message could have ended.
/// - **G4**: an acknowledged write is gone or older than another; two writes replaced the same one.
pub fn check(events: &[Event], rules: Rules) -> Report {
    let sessions = sessions(events);
    let ends = Ends::of(events);
    let ends: HashMap<SessionId, End> = sessions
        .iter()
        .map(|(session, begun)| (*session, ends.end(*session, begun, rules.clock_slack)))
        .collect();
    let landed = landed(events);

    let mut report = Report::default();
    report.counts.sessions_ended = ends
        .values()
        .filter(|end| end.certain != crate::clock::Tick::NEVER)
        .count();
    for event in events {
        count(event, &mut report);
        let session = match event.op {
            Op::SignIn { session, .. }
            | Op::Resume { session }
            | Op::Get { session, .. }
            | Op::Put { session, .. } => session,
            Op::SignOut(_) => continue,
        };
        tokens_read(event, &ends, &landed, &mut report);
        if rules.isolated {
            accepted(event, session, &ends, &mut report);
        }
        let unexplained = ends
            .get(&session)
            .is_none_or(|end| event.span.end < end.possible);
        if rules.nothing_lost && event.outcome == Outcome::SignedOut && unexplained {
            let promise = match event.op {
                Op::SignIn { .. } => Promise::G2,
                _ => Promise::G4,
            };
            report.violation(
                promise,
                format!("no sign-out can have ended what {event:?} was refused for"),
            );
        }
    }
    if rules.isolated {
        entries::isolated(events, &mut report);
    }
    if rules.nothing_lost {
        entries::nothing_lost(events, &mut report);
    }
    report
}

fn sessions(events: &[Event]) -> HashMap<SessionId, Begun> {
    let begun = events.iter().filter_map(|event| match &event.op {
        Op::SignIn {
            session,
            account,
            sid,
            auth_time,
            requested,
        } => Some((
            *session,
            Begun {
                account: *account,
                sid: *sid,
                auth_time: *auth_time,
                requested: *requested,
            },
        )),
        _ => None,
    });
    begun.collect()
}

/// The writes by their names.
fn landed(events: &[Event]) -> HashMap<WriteId, &Event> {
    let writes = events.iter().filter_map(|event| match event.op {
        Op::Put { write, .. } => Some((write, event)),
        _ => None,
    });
    writes.collect()
}

fn tokens_read(
    event: &Event,
    ends: &HashMap<SessionId, End>,
    landed: &HashMap<WriteId, &Event>,
    report: &mut Report,
) {
    let Outcome::Found { of, write } = &event.outcome else {
        return;
    };
    let Some(end) = ended(ends, *of, event) else {
        return;
    };
    let late = landed
        .get(write)
        .is_some_and(|landed| landed.span.end >= end.certain_began);
    if late {
        report.violation(
            Promise::G2,
            format!("{event:?} after the sign-out of {end:?}: a late write is readable"),
        );
    } else {
        report.violation(
            Promise::G1,
            format!("{event:?} after the sign-out of {end:?}"),
        );
    }
}

fn accepted(
    event: &Event,
    session: SessionId,
    ends: &HashMap<SessionId, End>,
    report: &mut Report,
) {
    let promise = match (&event.op, &event.outcome) {
        (Op::Resume { .. }, Outcome::Done) => Promise::G1,
        (Op::Put { .. } | Op::SignIn { .. }, Outcome::Done) => Promise::G2,
        _ => return,
    };
    if let Some(end) = ended(ends, session, event) {
        report.violation(
            promise,
            format!("{event:?} was accepted after the sign-out of {end:?}"),
        );
    }
}

/// How a session ended, if it had for certain before an event began.
fn ended<'a>(
    ends: &'a HashMap<SessionId, End>,
    session: SessionId,
    event: &Event,
) -> Option<&'a End> {
    ends.get(&session)
        .filter(|end| end.certain < event.span.start)
}

fn count(event: &Event, report: &mut Report) {
    let counts = &mut report.counts;
    counts.events += 1;
    match (&event.op, &event.outcome) {
        (_, Outcome::Failed { .. } | Outcome::Unknown) => counts.failed += 1,
        (Op::Get { .. }, outcome) => {
            counts.reads += 1;
            counts.found += usize::from(matches!(outcome, Outcome::Found { .. }));
        }
        (Op::Put { .. }, Outcome::Done) => counts.writes += 1,
        (Op::Put { .. }, Outcome::SignedOut) => counts.late_writes_refused += 1,
        (Op::SignIn { .. }, Outcome::Done) => counts.sign_ins += 1,
        (Op::SignIn { .. }, Outcome::SignedOut) => counts.sign_ins_refused += 1,
        (Op::SignOut(_), _) => counts.sign_outs += 1,
        _ => {}
    }
}
