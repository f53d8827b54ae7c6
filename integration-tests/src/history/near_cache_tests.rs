//! Tests of the rules for servers with near caches.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use super::*;
use crate::clock::Tick;

const ADA: Account = Account {
    issuer: 0,
    subject: 1,
};
const X: SessionNumber = SessionNumber(10);
const HERE: u32 = 1;
const ELSEWHERE: u32 = 2;
const NEAR_CACHE: NearCacheRules = NearCacheRules {
    not_awaited: 100,
    outdated: 1_000,
};

/// Returns a time in milliseconds of the run.
fn at(millis: u64) -> Tick {
    Tick::default().plus_millis(millis)
}

/// Returns an operation of one millisecond.
fn event(process: u32, start: u64, op: Op, outcome: Outcome) -> Event {
    Event {
        process,
        span: Span {
            start: at(start),
            end: at(start + 1),
        },
        op,
        outcome,
    }
}

fn put(process: u32, start: u64, write: u64, over: Option<u64>) -> Event {
    let op = Op::Put {
        session: X,
        entry: 0,
        write: WriteId(write),
        over: over.map(WriteId),
    };
    event(process, start, op, Outcome::Done)
}

fn found(process: u32, start: u64, write: u64) -> Event {
    let outcome = Outcome::Found {
        of: X,
        write: WriteId(write),
    };
    let op = Op::Get {
        session: X,
        entry: 0,
    };
    event(process, start, op, outcome)
}

fn resumed(start: u64) -> Event {
    event(HERE, start, Op::Resume { session: X }, Outcome::Done)
}

fn signed_out(start: u64) -> Event {
    let op = Op::SignOut(Scope::Account(ADA));
    event(ELSEWHERE, start, op, Outcome::Done)
}

fn signed_out_at_once(start: u64) -> Event {
    let op = Op::SignOutAtOnce(Scope::Account(ADA));
    event(ELSEWHERE, start, op, Outcome::Done)
}

/// Checks a session whose tokens `1` are written at 20, followed by more events.
fn checked(more: impl IntoIterator<Item = Event>, rules: Rules) -> Report {
    let requested = Span {
        start: at(10),
        end: at(10),
    };
    let op = Op::SignIn {
        session: X,
        account: ADA,
        sid: None,
        auth_time: 10,
        requested,
    };
    let mut events = vec![event(HERE, 10, op, Outcome::Done), put(HERE, 20, 1, None)];
    events.extend(more);
    check(&events, rules)
}

fn broken(more: impl IntoIterator<Item = Event>) -> Vec<Promise> {
    let report = checked(more, Rules::ALL.with_near_cache(NEAR_CACHE));
    let promise = |violation: &Violation| violation.promise;
    report.violations.iter().map(promise).collect()
}

#[test]
fn a_cached_entry_served_after_a_sign_out_that_waits_breaks_g1_at_once() {
    assert_eq!(broken([signed_out(40), found(HERE, 42, 1)]), [Promise::G1]);
    assert_eq!(broken([signed_out(40), resumed(42)]), [Promise::G1]);
    let report = checked(
        [signed_out(40), found(HERE, 42, 1), found(HERE, 61, 1)],
        Rules::ALL.with_near_cache(NEAR_CACHE),
    );
    assert_eq!(report.staleness.after_sign_out, Duration::from_millis(20));
}

#[test]
fn a_cached_entry_may_outlive_a_sign_out_that_does_not_wait_by_the_stated_time() {
    let kept = [
        signed_out_at_once(40),
        found(HERE, 42, 1),
        resumed(141),
        found(HERE, 141, 1),
    ];
    let report = checked(kept, Rules::ALL.with_near_cache(NEAR_CACHE));
    assert_eq!(report.violations, []);
    let staleness = report.staleness;
    assert_eq!(staleness.after_sign_out_at_once, Duration::from_millis(100));
    assert_eq!(staleness.reads_after_sign_out_at_once, 3);
    assert_eq!(staleness.after_sign_out, Duration::ZERO);
    assert_eq!(report.counts.sign_outs_at_once, 1);
}

#[test]
fn a_cached_entry_that_outlives_the_stated_time_breaks_g1() {
    assert_eq!(
        broken([signed_out_at_once(40), found(HERE, 142, 1)]),
        [Promise::G1]
    );
    assert_eq!(
        broken([signed_out_at_once(40), resumed(142)]),
        [Promise::G1]
    );
}

#[test]
fn of_two_sign_outs_the_one_that_waits_ends_the_time_of_the_other() {
    let both = [signed_out_at_once(40), signed_out(50)];
    assert_eq!(broken(both.clone()), []);
    let early = both.clone().into_iter().chain([found(HERE, 51, 1)]);
    assert_eq!(broken(early), []);
    let late = both.into_iter().chain([found(HERE, 52, 1)]);
    assert_eq!(broken(late), [Promise::G1]);
}

#[test]
fn the_store_takes_nothing_after_a_sign_out_that_does_not_wait() {
    assert_eq!(
        broken([signed_out_at_once(40), put(HERE, 42, 2, None)]),
        [Promise::G2]
    );
}

#[test]
fn without_cached_entries_no_sign_out_leaves_any_time() {
    let events = [signed_out_at_once(40), found(HERE, 42, 1)];
    assert_eq!(checked(events, Rules::ALL).broken(Promise::G1), 1);
}

#[test]
fn a_refused_sign_out_that_does_not_wait_ends_nothing_for_certain() {
    let mut refused = signed_out_at_once(40);
    refused.outcome = Outcome::Unknown;
    assert_eq!(broken([refused, found(HERE, 500, 1)]), []);
}

#[test]
fn what_another_server_replaced_may_be_read_for_the_stated_time() {
    let refreshed = put(ELSEWHERE, 40, 2, Some(1));
    let read = |start| [refreshed.clone(), found(HERE, start, 1)];
    assert_eq!(broken(read(1_041)), []);
    assert_eq!(broken(read(1_042)), [Promise::G4]);
    let report = checked(read(541), Rules::ALL.with_near_cache(NEAR_CACHE));
    assert_eq!(report.staleness.outdated, Duration::from_millis(500));
    // Without near caches it must not be read at all.
    assert_eq!(checked(read(42), Rules::ALL).broken(Promise::G4), 1);
}

#[test]
fn what_the_same_server_replaced_may_not_be_read() {
    let replaced = [put(HERE, 40, 2, Some(1)), found(HERE, 42, 1)];
    assert_eq!(broken(replaced), [Promise::G4]);
    // Another server's later write does not excuse it, and the reading server's own earlier write forbids nothing.
    let twice = [
        put(HERE, 40, 2, Some(1)),
        put(ELSEWHERE, 50, 3, Some(2)),
        found(HERE, 52, 2),
    ];
    assert_eq!(broken(twice.clone()), []);
    let oldest = twice.into_iter().chain([found(HERE, 54, 1)]);
    assert_eq!(broken(oldest), [Promise::G4]);
}

#[test]
fn a_miss_after_an_acknowledged_write_breaks_g4_with_cached_entries_as_well() {
    let op = Op::Get {
        session: X,
        entry: 0,
    };
    assert_eq!(
        broken([event(ELSEWHERE, 30, op, Outcome::Miss)]),
        [Promise::G4]
    );
}
