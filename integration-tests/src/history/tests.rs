#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::clock::Tick;

pub(super) const ADA: Account = Account {
    issuer: 0,
    subject: 1,
};
const X: SessionNumber = SessionNumber(10);
const Y: SessionNumber = SessionNumber(11);
const SID: Sid = Sid {
    issuer: 0,
    number: 7,
};
/// A distance at which clocks that differ by the allowed slack still agree on the order.
pub(super) const AGE: u64 = 1_000_000_000_000;

pub(super) fn span(start: u64, end: u64) -> Span {
    Span {
        start: Tick(start),
        end: Tick(end),
    }
}

pub(super) fn event(start: u64, end: u64, op: Op, outcome: Outcome) -> Event {
    Event {
        process: 0,
        span: span(start, end),
        op,
        outcome,
    }
}

fn sign_in(session: SessionNumber, start: u64, end: u64) -> Event {
    let op = Op::SignIn {
        session,
        account: ADA,
        sid: None,
        auth_time: start,
        requested: span(start, start),
    };
    event(start, end, op, Outcome::Done)
}

fn put(session: SessionNumber, write: u64, start: u64, end: u64) -> Event {
    let op = Op::Put {
        session,
        entry: 0,
        write: WriteId(write),
        over: None,
    };
    event(start, end, op, Outcome::Done)
}

fn get(session: SessionNumber, start: u64, outcome: Outcome) -> Event {
    event(start, start + 1, Op::Get { session, entry: 0 }, outcome)
}

pub(super) fn found(of: SessionNumber, write: u64) -> Outcome {
    Outcome::Found {
        of,
        write: WriteId(write),
    }
}

fn sign_out(scope: Scope, start: u64, end: u64) -> Event {
    event(start, end, Op::SignOut(scope), Outcome::Done)
}

/// Returns a session that began at 10 and whose tokens were written at 20.
fn signed_in() -> Vec<Event> {
    vec![sign_in(X, 10, 11), put(X, 1, 20, 21)]
}

fn broken(events: &[Event]) -> Vec<Promise> {
    check(events, Rules::ALL)
        .violations
        .iter()
        .map(|violation| violation.promise)
        .collect()
}

fn after(more: impl IntoIterator<Item = Event>) -> Vec<Promise> {
    let mut events = signed_in();
    events.extend(more);
    broken(&events)
}

#[test]
fn a_clean_day_breaks_nothing() {
    let events = [
        get(X, 30, found(X, 1)),
        sign_out(Scope::Account(ADA), 40, 41),
        get(X, 50, Outcome::SignedOut),
        sign_in(Y, 60, 61),
        put(Y, 2, 62, 63),
        get(Y, 70, found(Y, 2)),
    ];
    assert_eq!(after(events), []);
}

#[test]
fn tokens_read_after_a_sign_out_break_g1_whatever_its_scope() {
    let scopes = [
        Scope::Session(X),
        Scope::Account(ADA),
        Scope::Accounts(vec![ADA]),
        Scope::Issuer(0),
        Scope::Message {
            account: Some(ADA),
            sid: None,
            issued_at: 10,
        },
        Scope::Message {
            account: Some(ADA),
            sid: Some(SID),
            issued_at: 10,
        },
    ];
    for scope in scopes {
        let events = [sign_out(scope.clone(), 40, 41), get(X, 42, found(X, 1))];
        assert_eq!(after(events), [Promise::G1], "{scope:?}");
    }
}

#[test]
fn a_ticket_taken_after_a_sign_out_breaks_g1() {
    let resumed = event(42, 43, Op::Resume { session: X }, Outcome::Done);
    assert_eq!(
        after([sign_out(Scope::Session(X), 40, 41), resumed]),
        [Promise::G1]
    );
}

#[test]
fn a_read_that_began_before_the_sign_out_returned_may_see_tokens() {
    let read = event(
        41,
        90,
        Op::Get {
            session: X,
            entry: 0,
        },
        found(X, 1),
    );
    assert_eq!(after([sign_out(Scope::Account(ADA), 40, 41), read]), []);
}

#[test]
fn a_failed_or_unseen_sign_out_ends_nothing_for_certain() {
    for outcome in [
        Outcome::Failed {
            kind: "TimedOut".to_owned(),
            maybe: true,
        },
        Outcome::Unknown,
    ] {
        let mut out = sign_out(Scope::Account(ADA), 40, 41);
        out.outcome = outcome;
        // The answer of an ended session and the answer of a live one are both allowed.
        assert_eq!(after([out.clone(), get(X, 50, found(X, 1))]), []);
        assert_eq!(after([out, get(X, 50, Outcome::SignedOut)]), []);
    }
}

#[test]
fn a_write_that_arrived_after_the_sign_out_and_is_readable_breaks_g2() {
    // The write began before the sign-out. Accepting it is no violation, but reading it is.
    let late = [
        put(X, 2, 39, 60),
        sign_out(Scope::Account(ADA), 40, 41),
        get(X, 70, found(X, 2)),
    ];
    assert_eq!(after(late), [Promise::G2]);
}

#[test]
fn a_write_or_a_sign_in_begun_and_accepted_after_the_sign_out_breaks_g2() {
    assert_eq!(
        after([sign_out(Scope::Account(ADA), 40, 41), put(X, 2, 50, 51)]),
        [Promise::G2]
    );
    let mut overtaken = sign_in(Y, 39, 51);
    overtaken.span.start = Tick(50);
    assert_eq!(
        after([sign_out(Scope::Account(ADA), 40, 41), overtaken]),
        [Promise::G2]
    );
}

#[test]
fn a_session_that_no_sign_out_ended_and_is_refused_breaks_g4() {
    assert_eq!(after([get(X, 30, Outcome::SignedOut)]), [Promise::G4]);
    // The sign-out began after the refusal, so it cannot explain it.
    let events = [
        get(X, 30, Outcome::SignedOut),
        sign_out(Scope::Account(ADA), 40, 41),
    ];
    assert_eq!(after(events), [Promise::G4]);
}

#[test]
fn a_new_authentication_refused_for_an_old_message_breaks_g2() {
    let old = Scope::Message {
        account: Some(ADA),
        sid: None,
        issued_at: 40,
    };
    let mut refused = sign_in(Y, 50, 51);
    refused.outcome = Outcome::SignedOut;
    let events = [sign_out(old.clone(), 48, 49), refused];
    assert_eq!(after(events), [Promise::G2]);
    // A session that the message does end.
    let mut reached = sign_in(Y, 39, 51);
    reached.outcome = Outcome::SignedOut;
    assert_eq!(after([sign_out(old, 48, 49), reached]), []);
}

#[test]
fn a_new_sign_in_refused_for_an_app_sign_out_of_long_ago_breaks_g2() {
    let mut refused = sign_in(Y, AGE, AGE + 1);
    refused.outcome = Outcome::SignedOut;
    assert_eq!(
        after([sign_out(Scope::Account(ADA), 40, 41), refused]),
        [Promise::G2]
    );
}

#[test]
fn a_session_with_a_sid_is_ended_by_its_own_sid_only() {
    let mut with_sid = signed_in();
    if let Op::SignIn { sid, .. } = &mut with_sid[0].op {
        *sid = Some(SID);
    }
    let with = |scope, read| {
        let mut events = with_sid.clone();
        events.extend([sign_out(scope, 40, 41), read]);
        broken(&events)
    };
    let other = Sid { number: 8, ..SID };
    let by = |sid| Scope::Message {
        account: Some(ADA),
        sid: Some(sid),
        issued_at: 90,
    };
    assert_eq!(with(by(other), get(X, 50, found(X, 1))), []);
    assert_eq!(
        with(by(other), get(X, 50, Outcome::SignedOut)),
        [Promise::G4]
    );
    assert_eq!(with(by(SID), get(X, 50, found(X, 1))), [Promise::G1]);
    assert_eq!(
        with(Scope::ProviderSession(SID), get(X, 50, found(X, 1))),
        [Promise::G1]
    );
    assert_eq!(
        with(Scope::ProviderSession(other), get(X, 50, found(X, 1))),
        []
    );
}

#[test]
fn an_acknowledged_write_that_is_gone_or_outdated_breaks_g4() {
    assert_eq!(after([get(X, 30, Outcome::Miss)]), [Promise::G4]);
    let events = [put(X, 2, 30, 31), get(X, 40, found(X, 1))];
    assert_eq!(after(events), [Promise::G4]);
    // A write without an acknowledgement may take effect late, after the other.
    let mut unseen = put(X, 2, 15, 16);
    unseen.outcome = Outcome::Unknown;
    assert_eq!(after([unseen, get(X, 40, found(X, 2))]), []);
}

#[test]
fn two_writes_over_one_version_break_g4() {
    let over = |write, start| {
        let op = Op::Put {
            session: X,
            entry: 0,
            write: WriteId(write),
            over: Some(WriteId(1)),
        };
        event(start, start + 1, op, Outcome::Done)
    };
    assert_eq!(after([over(2, 30), over(3, 40)]), [Promise::G4]);
}

#[test]
fn anothers_tokens_break_isolation() {
    assert_eq!(
        after([sign_in(Y, 12, 13), get(Y, 30, found(X, 1))]),
        [Promise::Isolation]
    );
    assert_eq!(after([get(X, 30, found(X, 99))]), [Promise::Isolation]);
}

#[test]
fn a_plain_cache_is_held_to_finality_only() {
    let mut events = signed_in();
    events.extend([
        sign_in(Y, 12, 13),
        get(Y, 30, found(X, 1)),
        get(X, 31, Outcome::Miss),
    ]);
    assert_eq!(check(&events, Rules::FINAL).violations, []);
    events.extend([
        sign_out(Scope::Account(ADA), 40, 41),
        get(Y, 50, found(X, 1)),
    ]);
    assert_eq!(check(&events, Rules::FINAL).broken(Promise::G1), 1);
}

#[test]
fn a_log_outlives_a_kill_in_the_middle_of_a_line() {
    use std::io::Write;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = Log::create(&path).unwrap();
    let first = log.begins(&Op::SignOut(Scope::Account(ADA))).unwrap();
    log.begins(&Op::SignOut(Scope::Session(X))).unwrap();
    log.ended(&first, Tick(9), Outcome::EndedNothing).unwrap();
    log.whole(
        span(1, 2),
        Op::Get {
            session: X,
            entry: 0,
        },
        Outcome::Miss,
    )
    .unwrap();
    let mut file = std::fs::File::options().append(true).open(&path).unwrap();
    file.write_all(b"{\"Ended\":[1,").unwrap();

    let events = read(&path, 3).unwrap().events;
    let outcomes: Vec<&Outcome> = events.iter().map(|event| &event.outcome).collect();
    assert_eq!(
        outcomes,
        [&Outcome::EndedNothing, &Outcome::Miss, &Outcome::Unknown]
    );
    assert_eq!(events[2].span.end, Tick::NEVER);
    assert!(events.iter().all(|event| event.process == 3));

    file.write_all(b"\nmore\n").unwrap();
    assert!(
        read(&path, 3).is_err(),
        "an invalid line in the middle is not explained by a kill"
    );
}
