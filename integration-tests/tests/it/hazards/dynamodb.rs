//! Hazards of DynamoDB alone: a write of two requests, throttling, unprocessed keys, and writes that are slow or arrive twice.

use aws_sdk_dynamodb::types::AttributeValue;
use token_cache_integration_tests::{
    fleet::{Fleet, Ticketed, User},
    history::{Account, Outcome, Rules, Scope},
    servers::{ApiFault, DynamoDbEngine, DynamoDbProxy, Kept, OwnStore, TABLE, WRITES},
};

use crate::hazards::common::{
    PATIENT, assert_found, assert_signed_in, assert_signed_out, eventually, failed, fleet_at, kind,
    settled, sign_out_account, signed_in,
};

/// Starts two app servers, and one with a connection of its own to the engine.
fn on_a_line(parameters: &str) -> (OwnStore, Fleet, DynamoDbProxy) {
    let engine = DynamoDbEngine::start(Kept::InMemory).unwrap();
    let line = DynamoDbProxy::start(engine.address()).unwrap();
    let store = OwnStore::DynamoDb(Box::new(engine));
    let url = store.url(PATIENT);
    let own = format!("{}&{parameters}", line.url());
    let fleet = fleet_at(&[url.clone(), url, own]);
    (store, fleet, line)
}

const BROKEN: usize = 2;
const IMPATIENT: &str = "operation_timeout=700ms&connect_timeout=700ms";

/// Returns how many entries the table contains, of live and of ended sessions.
fn entries(store: &OwnStore) -> usize {
    let OwnStore::DynamoDb(engine) = store else {
        panic!("no engine");
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let scanned = runtime.block_on(
        engine
            .client()
            .scan()
            .table_name(TABLE)
            .consistent_read(true)
            .filter_expression("begins_with(sk, :entry)")
            .expression_attribute_values(":entry", AttributeValue::S("T:".to_owned()))
            .send(),
    );
    scanned.unwrap().items().len()
}

fn signed_out_well(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Done | Outcome::EndedNothing)
}

/// Waits until another app server reads a new write.
fn wait_until_written(fleet: &Fleet, session: &Ticketed, before: &Outcome) {
    eventually("the entry is written", || {
        let now = fleet.get(0, session).outcome;
        (matches!(now, Outcome::Found { .. }) && now != *before).then_some(())
    });
}

#[test]
fn a_write_between_its_two_requests_is_refused_by_a_sign_out_and_takes_its_entry_away() {
    let (store, fleet, line) = on_a_line(PATIENT);
    for round in 0..5 {
        let session = signed_in(&fleet, 0, User::new(fleet.account()));
        let read = fleet.get(BROKEN, &session);
        assert_found(&read);
        // The entry arrives. The read of the session's record that follows does not.
        line.hold(&["GetItem"]);
        let over = (round % 2 == 0).then_some(&read);
        let write = fleet.begin(BROKEN, fleet.putting(&session, over));
        wait_until_written(&fleet, &session, &read.outcome);
        assert_eq!(sign_out_account(&fleet, 1, &session), Outcome::Done);
        line.thaw();
        assert_eq!(write.wait().outcome, Outcome::SignedOut);
        assert_signed_out(&fleet, &session);
        eventually("the write removes its entry", || {
            (entries(&store) == 0).then_some(())
        });
    }
    fleet.assert_kept(Rules::ALL);
}

#[test]
fn a_writer_killed_between_its_two_requests_leaves_nothing_that_comes_back() {
    let (_store, mut fleet, line) = on_a_line(PATIENT);
    for _ in 0..3 {
        let user = User::new(fleet.account());
        let session = signed_in(&fleet, 0, user);
        let read = fleet.get(BROKEN, &session);
        line.hold(&["GetItem"]);
        let write = fleet.begin(BROKEN, fleet.putting(&session, Some(&read)));
        wait_until_written(&fleet, &session, &read.outcome);
        fleet.server(BROKEN).kill9();
        assert_eq!(write.wait().outcome, Outcome::Unknown);
        assert_eq!(sign_out_account(&fleet, 1, &session), Outcome::Done);
        line.thaw();
        fleet.replace(BROKEN).unwrap();
        assert_signed_out(&fleet, &session);
        // The entry that is left belongs to no session: not even the same user's next session finds it.
        let again = welcome(&fleet, user);
        for at in 0..fleet.len() {
            assert_eq!(fleet.get(at, &again).outcome, Outcome::Miss);
        }
    }
    fleet.assert_kept(Rules::ALL);
}

/// Two app servers' estimates of the store's clock differ a little, so a sign-in right after a sign-out may count as before it.
fn welcome(fleet: &Fleet, user: User) -> Ticketed {
    eventually("a new sign-in is accepted", || {
        fleet.sign_in(0, User::new(user.account)).ok()
    })
}

#[test]
fn a_sign_in_that_has_read_before_the_sign_out_and_writes_after_it_is_refused() {
    let (_store, fleet, line) = on_a_line(PATIENT);
    let scopes: [fn(&User) -> Scope; 4] = [
        |user| Scope::Account(user.account),
        |user| Scope::Issuer(user.account.issuer),
        |user| Scope::ProviderSession(user.sid.unwrap()),
        |user| Scope::Message {
            account: Some(user.account),
            sid: user.sid,
            issued_at: user.auth_time,
        },
    ];
    for (round, scope) in scopes.iter().enumerate() {
        // With an issuer of its own, no other test's user is signed out.
        let account = Account {
            issuer: u32::try_from(round).unwrap(),
            ..fleet.account()
        };
        let user = User::new(account).with_sid(fleet.number());
        let started = fleet.start_sign_in(BROKEN).unwrap();
        line.hold(WRITES);
        let (_, callback) = fleet.call_back(BROKEN, user, &started);
        line.wait_until_holding().unwrap();
        let out = fleet.sign_out_scope(1, scope(&user)).outcome;
        assert_eq!(out, Outcome::EndedNothing);
        line.thaw();
        assert_eq!(callback.wait().outcome, Outcome::SignedOut, "round {round}");
    }
    fleet.assert_kept(Rules::ALL);
}

#[test]
fn throttling_is_waited_out_and_where_it_lasts_it_is_said() {
    let (_store, fleet, line) = on_a_line(IMPATIENT);
    let session = signed_in(&fleet, 0, User::new(fleet.account()));
    for code in [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
    ] {
        let struck = line.faults();
        line.on_next(&["BatchGetItem"], ApiFault::Code(code));
        assert_found(&fleet.get(BROKEN, &session));
        line.on_next(&["UpdateItem"], ApiFault::Code(code));
        assert_eq!(fleet.put(BROKEN, &session), Outcome::Done);
        assert_eq!(line.faults(), struck + 2, "{code} did not happen");

        line.always(&[], ApiFault::Code(code));
        for outcome in [
            fleet.get(BROKEN, &session).outcome,
            fleet.put(BROKEN, &session),
            sign_out_account(&fleet, BROKEN, &session),
        ] {
            assert_eq!(kind(&outcome), "Throttled", "{code}: {outcome:?}");
            // A throttled request certainly changed nothing.
            assert!(matches!(outcome, Outcome::Failed { maybe: false, .. }));
        }
        line.calm();
        assert_signed_in(&fleet, &session);
    }
    assert_eq!(sign_out_account(&fleet, BROKEN, &session), Outcome::Done);
    assert_signed_out(&fleet, &session);
    fleet.assert_kept(Rules::ALL);
}

#[test]
fn keys_left_unprocessed_are_asked_for_again_and_never_a_miss() {
    let (_store, fleet, line) = on_a_line(IMPATIENT);
    let session = signed_in(&fleet, 0, User::new(fleet.account()));
    for count in [1, 2] {
        let struck = line.faults();
        line.on_next(&["BatchGetItem"], ApiFault::Unprocessed(count));
        assert_found(&fleet.get(BROKEN, &session));
        assert_eq!(line.faults(), struck + 1);
        line.always(&["BatchGetItem"], ApiFault::Unprocessed(count));
        let read = fleet.get(BROKEN, &session).outcome;
        line.calm();
        // One processed key at a time is progress, but no processed key in repeated requests is not.
        assert!(
            failed(&read) || (count == 1 && matches!(read, Outcome::Found { .. })),
            "{count}: {read:?}"
        );
    }
    assert_signed_in(&fleet, &session);
    fleet.assert_kept(Rules::ALL);
}

#[test]
fn a_change_that_comes_twice_at_once_is_one_change() {
    let (_store, fleet, line) = on_a_line(PATIENT);
    for _ in 0..3 {
        let user = User::new(fleet.account()).with_sid(fleet.number());
        let struck = line.faults();
        line.on_next_conditional(&["PutItem"], ApiFault::Twice);
        let session = fleet.sign_in(BROKEN, user).unwrap();
        assert_eq!(fleet.put(BROKEN, &session), Outcome::Done);
        let read = fleet.get(BROKEN, &session);
        line.on_next_conditional(&["UpdateItem"], ApiFault::Twice);
        let refresh = fleet.begin(BROKEN, fleet.putting(&session, Some(&read)));
        assert_eq!(refresh.wait().outcome, Outcome::Done);
        assert_signed_in(&fleet, &session);
        line.on_next_conditional(&["UpdateItem"], ApiFault::Twice);
        let out = sign_out_account(&fleet, BROKEN, &session);
        assert!(signed_out_well(&out), "{out:?}");
        assert_eq!(line.faults(), struck + 3);
        assert_signed_out(&fleet, &session);
    }
    fleet.assert_kept(Rules::ALL);
}

#[test]
fn a_change_that_comes_once_more_much_later_changes_nothing() {
    let (_store, fleet, line) = on_a_line(PATIENT);
    for _ in 0..3 {
        let user = User::new(fleet.account());
        // The head's write of a sign-in arrives again after the session was signed out.
        line.on_next_conditional(&["PutItem"], ApiFault::Duplicate);
        let session = fleet.sign_in(BROKEN, user).unwrap();
        assert_eq!(fleet.put(0, &session), Outcome::Done);
        assert_eq!(sign_out_account(&fleet, 1, &session), Outcome::Done);
        assert_eq!(line.deliver_duplicates().unwrap(), [400]);
        assert_signed_out(&fleet, &session);

        // A refresh arrives again after a later one.
        let session = welcome(&fleet, user);
        assert_eq!(fleet.put(0, &session), Outcome::Done);
        let read = fleet.get(BROKEN, &session);
        line.on_next_conditional(&["UpdateItem"], ApiFault::Duplicate);
        let refresh = fleet.begin(BROKEN, fleet.putting(&session, Some(&read)));
        assert_eq!(refresh.wait().outcome, Outcome::Done);
        let read = fleet.get(1, &session);
        let refresh = fleet.begin(1, fleet.putting(&session, Some(&read)));
        assert_eq!(refresh.wait().outcome, Outcome::Done);
        let latest = fleet.get(0, &session).outcome;
        assert_eq!(line.deliver_duplicates().unwrap(), [400]);
        assert_eq!(fleet.get(1, &session).outcome, latest);

        // A sign-out arrives again after the user has signed in anew.
        line.on_next_conditional(&["UpdateItem"], ApiFault::Duplicate);
        assert_eq!(sign_out_account(&fleet, BROKEN, &session), Outcome::Done);
        let again = welcome(&fleet, user);
        assert_eq!(fleet.put(0, &again), Outcome::Done);
        assert_eq!(line.deliver_duplicates().unwrap(), [400]);
        assert_signed_in(&fleet, &again);
        assert_signed_out(&fleet, &session);
    }
    fleet.assert_kept(Rules::ALL);
}

#[test]
fn a_change_slower_than_its_caller_waits_may_have_applied_and_is_final_after_a_sign_out() {
    let (_store, fleet, line) = on_a_line(IMPATIENT);
    for _ in 0..2 {
        let session = signed_in(&fleet, 0, User::new(fleet.account()));
        line.hold(WRITES);
        let write = fleet.put(BROKEN, &session);
        let out = sign_out_account(&fleet, BROKEN, &session);
        for outcome in [&write, &out] {
            assert_eq!(kind(outcome), "TimedOut");
            assert!(matches!(outcome, Outcome::Failed { maybe: true, .. }));
        }
        let out = sign_out_account(&fleet, 1, &session);
        assert!(signed_out_well(&out), "{out:?}");
        // Both arrive now.
        line.thaw();
        assert_signed_out(&fleet, &session);
        let out = settled(|| sign_out_account(&fleet, BROKEN, &session));
        assert!(signed_out_well(&out), "{out:?}");
        assert_signed_out(&fleet, &session);
    }
    fleet.assert_kept(Rules::ALL);
}
