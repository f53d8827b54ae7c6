use std::collections::HashMap;

use super::{
    Event, Op, Outcome, Promise, Report, SessionNumber, WriteId,
    ends::{Begun, End, Ends},
    entries,
};
use crate::clock::Tick;

/// The rules that a history is checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a test states the rules that it checks"
)]
pub struct Rules {
    /// Milliseconds by which two servers' estimates of the store's clock may differ: twice the longest request from which a server can have
    /// taken its estimate.
    pub clock_slack: u64,
    /// `true` if sessions and acknowledged writes must last until a sign-out. `false` if the run empties the store, or the store makes no
    /// such promise.
    pub nothing_lost: bool,
    /// `true` if each session must read only its own tokens. `false` for a cache that knows only accounts: there, only the tokens that were
    /// read say which session they are of.
    pub isolated: bool,
    /// The rules for near caches, if servers have any.
    pub near_caches: Option<NearCacheRules>,
}

/// How long a near-cache entry may be served that is no longer current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a test states the rules that it checks"
)]
pub struct NearCacheRules {
    /// Milliseconds for which tokens may still be read after a sign-out that does not wait has returned.
    pub not_awaited: u64,
    /// Milliseconds for which a read may return an entry that another server has replaced.
    pub outdated: u64,
}

impl Rules {
    /// All promises of token-cache.
    pub const ALL: Self = Self {
        clock_slack: 4_000,
        nothing_lost: true,
        isolated: true,
        near_caches: None,
    };

    /// The rules for a run that empties or replaces the store.
    pub const LOSING: Self = Self {
        nothing_lost: false,
        ..Self::ALL
    };

    /// Only the rule that a sign-out is final. A plain cache can be checked against it.
    pub const FINAL: Self = Self {
        clock_slack: 4_000,
        nothing_lost: false,
        isolated: false,
        near_caches: None,
    };

    /// Adds the rules for near caches.
    pub const fn with_near_cache(self, near_caches: NearCacheRules) -> Self {
        Self {
            near_caches: Some(near_caches),
            ..self
        }
    }
}

/// Finds the broken promises in a whole history. The events may be in any order.
///
/// - **G1**: a read or a resumed session that began after a sign-out had returned `Ok` succeeds in a session that it ended.
/// - **G2**: a read returns what was written by a write that ended after the sign-out. A write or a sign-in is accepted although the
///   sign-out had ended it before. A session ends that only an older message could have ended.
/// - **G1 with near caches**: a read succeeds that began later than the stated time after a sign-out that does not wait.
/// - **G4**: a read misses an acknowledged write, or returns one that is older than another. Two writes replaced the same one. With near
///   caches, a read may return an entry that another server has replaced for the stated time, but not one that its own server has replaced.
pub fn check(events: &[Event], rules: Rules) -> Report {
    let sessions = sessions(events);
    let ends = Ends::of(events);
    let ends: HashMap<SessionNumber, End> = sessions
        .iter()
        .map(|(session, begun)| (*session, ends.end(*session, begun, rules.clock_slack)))
        .collect();
    let landed = landed(events);

    let cached_reads_outlive = rules
        .near_caches
        .map_or(0, |near_caches| near_caches.not_awaited);
    let mut report = Report::default();
    report.counts.sessions_ended = ends
        .values()
        .filter(|end| end.certain != Tick::NEVER)
        .count();
    for event in events {
        count(event, &mut report);
        let session = match event.op {
            Op::SignIn { session, .. }
            | Op::Resume { session }
            | Op::Get { session, .. }
            | Op::Put { session, .. } => session,
            Op::SignOut(_) | Op::SignOutAtOnce(_) => continue,
        };
        tokens_read(event, &ends, &landed, cached_reads_outlive, &mut report);
        if rules.isolated {
            accepted(event, session, &ends, cached_reads_outlive, &mut report);
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
                format!("{event:?} was refused, but no sign-out can have ended its session"),
            );
        }
    }
    if rules.isolated {
        entries::isolated(events, &mut report);
    }
    if rules.nothing_lost {
        let outdated = rules
            .near_caches
            .map_or(0, |near_caches| near_caches.outdated);
        entries::nothing_lost(events, outdated, &mut report);
    }
    report
}

fn sessions(events: &[Event]) -> HashMap<SessionNumber, Begun> {
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

/// Returns the writes by their ids.
fn landed(events: &[Event]) -> HashMap<WriteId, &Event> {
    let writes = events.iter().filter_map(|event| match event.op {
        Op::Put { write, .. } => Some((write, event)),
        _ => None,
    });
    writes.collect()
}

fn tokens_read(
    event: &Event,
    ends: &HashMap<SessionNumber, End>,
    landed: &HashMap<WriteId, &Event>,
    cached_reads_outlive: u64,
    report: &mut Report,
) {
    let Outcome::Found { of, write } = &event.outcome else {
        return;
    };
    let Some(end) = ends.get(of) else {
        return;
    };
    stale(event, end, report);
    if !end.forbids(event.span.start, cached_reads_outlive) {
        return;
    }
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
    session: SessionNumber,
    ends: &HashMap<SessionNumber, End>,
    cached_reads_outlive: u64,
    report: &mut Report,
) {
    let Some(end) = ends.get(&session) else {
        return;
    };
    let (promise, broken) = match (&event.op, &event.outcome) {
        // A near cache may have answered it.
        (Op::Resume { .. }, Outcome::Done) => {
            stale(event, end, report);
            let broken = end.forbids(event.span.start, cached_reads_outlive);
            (Promise::G1, broken)
        }
        // The store decides these, and it has ended the session.
        (Op::Put { .. } | Op::SignIn { .. }, Outcome::Done) => {
            (Promise::G2, end.certain < event.span.start)
        }
        _ => return,
    };
    if broken {
        report.violation(
            promise,
            format!("{event:?} was accepted after the sign-out of {end:?}"),
        );
    }
}

/// Records how long after the end of its session an event found it live.
fn stale(event: &Event, end: &End, report: &mut Report) {
    let since = |end: Tick| event.span.start.since(end);
    let staleness = &mut report.staleness;
    if let Some(time) = since(end.everywhere) {
        staleness.after_sign_out = staleness.after_sign_out.max(time);
    }
    if let Some(time) = since(end.at_once) {
        staleness.reads_after_sign_out_at_once += 1;
        staleness.after_sign_out_at_once = staleness.after_sign_out_at_once.max(time);
    }
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
        (Op::SignOutAtOnce(_), _) => {
            counts.sign_outs += 1;
            counts.sign_outs_at_once += 1;
        }
        _ => {}
    }
}
