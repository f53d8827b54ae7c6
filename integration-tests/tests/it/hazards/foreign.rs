use token_cache_integration_tests::{
    fleet::{Fleet, Server, Settings, StartError, Ticketed, User},
    history::{Outcome, Scope},
    servers::{RedisServer, Value},
};

use crate::hazards::common::{
    assert_signed_in, assert_signed_out, eventually, fleet, kind, program, redis, sign_out_account,
    signed_in,
};

#[test]
fn a_server_with_another_secret_is_refused_before_it_serves() {
    let redis = redis();
    let fleet = fleet(&redis, 2);
    let session = signed_in(&fleet, 0, User::new(fleet.account()));
    let stranger = Settings {
        secret: "a secret that is not the fleet's: it decrypts nothing".to_owned(),
        ..fleet.settings(0).clone()
    };
    match Server::start(&program(), &stranger) {
        Err(StartError::Refused { kind, message }) => {
            assert_eq!(kind, "Config", "{message}");
            assert!(message.contains("TOKEN_CACHE_SECRET"), "{message}");
        }
        other => panic!("another secret was accepted: {other:?}"),
    }
    assert_signed_in(&fleet, &session);
}

/// Returns the account's hash: the only key made by a sign-in that contains a session.
fn partition(redis: &RedisServer) -> String {
    let keys = redis.cli(&["KEYS", "*"]).unwrap();
    let holds_session = |key: &&str| {
        redis.cli(&["TYPE", key]).unwrap().text() == Some("hash")
            && redis
                .cli(&["HKEYS", key])
                .unwrap()
                .items()
                .unwrap()
                .iter()
                .any(is_session)
    };
    let mut found = keys
        .items()
        .unwrap()
        .iter()
        .filter_map(Value::text)
        .filter(holds_session);
    let partition = found.next().unwrap().to_owned();
    assert_eq!(found.next(), None);
    partition
}

fn is_session(field: &Value) -> bool {
    matches!(field, Value::Bytes(name) if name.starts_with(b"s:"))
}

fn assert_corrupt_until_signed_out(fleet: &Fleet, session: &Ticketed) {
    for at in 0..fleet.len() {
        assert_eq!(kind(&fleet.get(at, session).outcome), "Corrupt");
        assert_eq!(kind(&fleet.resume(at, session)), "Corrupt");
    }
    let out = sign_out_account(fleet, 1, session);
    assert!(
        matches!(out, Outcome::Done | Outcome::EndedNothing),
        "{out:?}"
    );
    assert_signed_out(fleet, session);
    let again = eventually("a new sign-in works", || {
        fleet.sign_in(0, User::new(session.account)).ok()
    });
    assert_eq!(fleet.put(0, &again), Outcome::Done);
    assert_signed_in(fleet, &again);
    let out = fleet
        .sign_out_scope(1, Scope::Account(again.account))
        .outcome;
    assert_eq!(out, Outcome::Done);
}

#[test]
fn a_key_of_another_type_in_our_place_is_corrupt_and_a_sign_out_removes_it() {
    let redis = redis();
    let fleet = fleet(&redis, 3);
    let session = signed_in(&fleet, 0, User::new(fleet.account()));
    let key = partition(&redis);
    redis.cli(&["DEL", &key]).unwrap();
    redis.cli(&["SET", &key, "of another app"]).unwrap();
    assert_eq!(kind(&fleet.put(0, &session)), "Corrupt");
    assert_corrupt_until_signed_out(&fleet, &session);
}

#[test]
fn bytes_that_are_not_ours_are_corrupt_and_a_sign_out_removes_them() {
    let redis = redis();
    let fleet = fleet(&redis, 3);
    let session = signed_in(&fleet, 0, User::new(fleet.account()));
    let key = partition(&redis);
    let fields = redis.cli(&["HKEYS", &key]).unwrap();
    for field in fields.items().unwrap() {
        let Value::Bytes(field) = field else {
            panic!("a field is {field:?}")
        };
        redis
            .cli(&[b"HSET", key.as_bytes(), field, b"\xffgarbage"])
            .unwrap();
    }
    assert_corrupt_until_signed_out(&fleet, &session);
}
