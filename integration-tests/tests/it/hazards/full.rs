use token_cache_integration_tests::{
    fleet::{Ticketed, User},
    history::{Outcome, Rules, Scope},
    servers::{RedisOptions, RedisServer},
};

use crate::hazards::common::{assert_signed_in, assert_signed_out, fleet, kind, signed_in};

#[test]
fn a_full_redis_refuses_writes_and_carries_out_every_sign_out() {
    let redis = RedisServer::start(RedisOptions {
        maxmemory_policy: Some("noeviction".to_owned()),
        ..RedisOptions::default()
    })
    .unwrap();
    let fleet = fleet(&redis, 3);
    let users: Vec<User> = (0..5)
        .map(|_| User::new(fleet.account()).with_sid(fleet.number()))
        .collect();
    let sessions: Vec<Ticketed> = users
        .iter()
        .map(|user| signed_in(&fleet, 0, *user))
        .collect();
    let scopes = [
        Scope::Account(users[0].account),
        Scope::ProviderSession(users[1].sid.unwrap()),
        Scope::Message {
            account: Some(users[2].account),
            sid: users[2].sid,
            issued_at: users[2].auth_time,
        },
        Scope::Accounts(vec![users[3].account]),
    ];
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    assert_eq!(kind(&fleet.put(1, &sessions[0])), "Full");
    let refused = fleet.sign_in(2, User::new(fleet.account())).unwrap_err();
    assert_eq!(kind(&refused), "Full");
    for session in &sessions {
        assert_signed_in(&fleet, session);
    }
    for (scope, session) in scopes.into_iter().zip(&sessions) {
        let out = fleet.sign_out_scope(1, scope.clone());
        assert_eq!(out.outcome, Outcome::Done, "{scope:?}: {out:?}");
        assert_signed_out(&fleet, session);
    }
    let last = &sessions[4];
    assert_eq!(fleet.sign_out(2, last), Outcome::Done);
    assert_signed_out(&fleet, last);

    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    let again = signed_in(&fleet, 1, User::new(fleet.account()));
    assert_signed_in(&fleet, &again);
    fleet.assert_kept(Rules::ALL);
}
