use std::time::Duration;

use serde_json::Value;
use token_cache_dev_provider::Fault;

use super::{
    World,
    app::Tokens,
    browser::{Browser, posted},
    world,
};

/// Fails if the provider holds nothing, instead of waiting forever.
async fn held(world: &World) {
    let held = tokio::time::timeout(
        Duration::from_secs(20),
        world.provider.faults().refresh_held(),
    );
    held.await.expect("no refresh is held");
}

/// Signs a user in without a browser, and returns the refresh token.
fn refresh_token(world: &World, name: &str) -> String {
    let tokens = world.provider.sign_in("shop", name, "mail").unwrap();
    text(&tokens, "refresh_token")
}

fn text(response: &Value, name: &str) -> String {
    response[name].as_str().unwrap().to_owned()
}

fn requests_with(world: &World, refresh_token: &str) -> usize {
    let requests = world.provider.faults().requests();
    let with = |sent: Option<&String>| sent.is_some_and(|sent| sent == refresh_token);
    requests
        .iter()
        .filter(|request| with(request.form.get("refresh_token")))
        .count()
}

#[tokio::test]
async fn a_refresh_that_is_held_is_carried_out_and_answered_after_the_sign_out() {
    let mut world = world();
    let tokens = world.app.sign_in(&mut world.browser, "Ada").await;
    world.provider.faults().hold_refreshes();
    let mut browser = std::mem::take(&mut world.browser);
    let refresh = world.app.refresh(&tokens.refresh);
    let meanwhile = async {
        held(&world).await;
        assert_eq!(world.provider.faults().refreshes_held(), 1);
        assert!(!world.provider.accepts(&tokens.refresh));
        browser.post(world.app.at("/sign-out"), &[]).await;
        let counts = world.provider.counts();
        assert_eq!((counts.refreshes, counts.sign_outs), (1, 1));
        world.provider.faults().release_refreshes();
    };
    let (answer, ()) = tokio::join!(refresh, meanwhile);
    let late = Tokens::of(&answer);
    Tokens::of(&world.app.refresh(&late.refresh).await);
}

#[tokio::test]
async fn a_provider_that_is_dropped_lets_go_of_its_port_and_of_who_waits() {
    let mut world = world();
    let tokens = world.app.sign_in(&mut world.browser, "Ada").await;
    world.provider.faults().hold_refreshes();
    let address = world.provider.issuer().replace("http://", "");
    let app = world.app.again(&world.provider);
    let refresh = tokio::spawn(async move { app.refresh(&tokens.refresh).await.status() });
    held(&world).await;
    drop(world);
    assert_eq!(refresh.await.unwrap(), 200);
    while tokio::net::TcpListener::bind(&address).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_fault_happens_once_and_says_whether_the_token_is_spent() {
    let world = world();
    let busy = Fault::Unavailable {
        retry_after: Some(7),
    };
    for (fault, status, is_spent) in [
        (busy, Some(503), false),
        (Fault::TooMany { retry_after: 7 }, Some(429), false),
        (Fault::Code("invalid_scope"), Some(400), false),
        (Fault::CutRequest, None, false),
        (Fault::DropAnswer, None, true),
        (Fault::Malformed, Some(200), true),
        (Fault::NoAccessToken, Some(200), true),
    ] {
        let first = refresh_token(&world, "ada");
        world.provider.faults().on_next(fault);
        let met = world.app.try_refresh(&first).await;
        assert_eq!(
            met.as_ref().map(super::browser::Reply::status),
            status,
            "{fault:?}"
        );
        if let Some(503 | 429) = status {
            assert_eq!(met.unwrap().header("retry-after"), "7");
        }
        assert_eq!(!world.provider.accepts(&first), is_spent, "{fault:?}");
        let then = world.app.refresh(&first).await.status();
        assert_eq!(then, if is_spent { 400 } else { 200 }, "{fault:?}");
        assert_eq!(requests_with(&world, &first), 2);
    }
    world.provider.faults().always(busy);
    let first = refresh_token(&world, "ada");
    for _ in 0..2 {
        assert_eq!(world.app.refresh(&first).await.status(), 503);
    }
    world.provider.faults().clear();
    assert_eq!(world.app.refresh(&first).await.status(), 200);
}

#[tokio::test]
async fn a_provider_that_is_down_takes_no_connection() {
    let world = world();
    let first = refresh_token(&world, "ada");
    world.provider.faults().refuse_connections(true);
    assert!(world.app.try_refresh(&first).await.is_none());
    world.provider.faults().refuse_connections(false);
    assert_eq!(world.app.refresh(&first).await.status(), 200);
    assert_eq!(requests_with(&world, &first), 1);
}

#[tokio::test]
async fn an_answer_comes_as_late_as_it_is_wanted() {
    let world = world();
    let delay = Duration::from_millis(300);
    world.provider.faults().delay_refreshes(delay);
    let since = std::time::Instant::now();
    let first = refresh_token(&world, "ada");
    assert_eq!(world.app.refresh(&first).await.status(), 200);
    assert!(since.elapsed() >= delay);
}

#[tokio::test]
async fn a_reuse_revokes_the_grant_and_no_other() {
    let world = world();
    let first = refresh_token(&world, "ada");
    let other = refresh_token(&world, "ada");
    let second = world.app.refresh(&first).await.json();
    let access_token = text(&second, "access_token");
    assert!(world.provider.accepts(&access_token));
    assert!(!world.provider.accepts(&first));

    assert_eq!(world.app.refresh(&first).await.status(), 400);
    assert!(!world.provider.accepts(&access_token));
    assert!(!world.provider.accepts(&text(&second, "refresh_token")));
    assert!(world.provider.accepts(&other));
    let counts = world.provider.counts();
    assert_eq!(
        (counts.refreshes, counts.reuses, counts.revoked_grants),
        (1, 1, 1)
    );
    assert_eq!(world.app.refresh(&first).await.status(), 400);
    let counts = world.provider.counts();
    assert_eq!((counts.reuses, counts.revoked_grants), (2, 1));
    assert_eq!(world.provider.issued_tokens().len(), 6);
}

#[tokio::test]
async fn within_the_grace_a_spent_token_gives_the_same_successor_until_that_is_spent() {
    let world = world();
    world
        .provider
        .change(|settings| settings.refresh_grace = Duration::from_secs(3600));
    let first = refresh_token(&world, "ada");
    let once = world.app.refresh(&first).await.json();
    let twice = world.app.refresh(&first).await.json();
    assert_eq!(once["refresh_token"], twice["refresh_token"]);
    let counts = world.provider.counts();
    assert_eq!((counts.refreshes, counts.repeats, counts.reuses), (1, 1, 0));

    let successor = text(&once, "refresh_token");
    assert_eq!(world.app.refresh(&successor).await.status(), 200);
    assert_eq!(world.app.refresh(&first).await.status(), 400);
    assert_eq!(world.provider.counts().reuses, 1);
}

#[tokio::test]
async fn a_revocation_ends_a_grant_or_all_that_the_user_granted() {
    let world = world();
    let grants = [(); 3].map(|()| refresh_token(&world, "ada"));
    let stranger = refresh_token(&world, "grace");
    for (all, live) in [(false, [false, true, true]), (true, [false, false, false])] {
        world
            .provider
            .change(|settings| settings.revocation_ends_all = all);
        world.app.revoke(&grants[usize::from(all)]).await;
        assert_eq!(
            grants.each_ref().map(|token| world.provider.accepts(token)),
            live
        );
    }
    assert!(world.provider.accepts(&stranger));
    let counts = world.provider.counts();
    assert_eq!((counts.revocations, counts.revoked_grants), (2, 3));
}

#[tokio::test]
async fn tokens_without_a_user_and_on_a_users_behalf() {
    let world = world();
    let form = [("grant_type", "client_credentials"), ("scope", "reports")];
    let own = world.app.ask("/token", &form, &[]).await.json();
    assert_eq!(own["scope"], "reports");
    assert!(own.get("refresh_token").is_none() && own.get("id_token").is_none());

    let users = world
        .provider
        .sign_in("shop", "ada", "openid mail")
        .unwrap();
    assert!(users["id_token"].is_string());
    let users = text(&users, "access_token");
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    let bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    for (grant_type, parameter) in [(exchange, "subject_token"), (bearer, "assertion")] {
        for (token, status) in [(users.as_str(), 200), ("unknown", 400)] {
            let form = [("grant_type", grant_type), (parameter, token)];
            let reply = world.app.ask("/token", &form, &[]).await;
            assert_eq!(reply.status(), status, "{grant_type}");
        }
    }
    assert_eq!(world.provider.faults().requests().len(), 5);
    let printed = format!("{:?}", world.provider.faults());
    assert!(
        printed.contains("client_credentials") && !printed.contains(&users),
        "{printed}"
    );
}

#[tokio::test]
async fn who_is_not_the_client_spends_nothing() {
    let world = world();
    let first = refresh_token(&world, "ada");
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &first),
        ("client_id", "shop"),
        ("client_secret", "wrong"),
    ];
    let request = posted(&world.app.at("/token"), &form);
    let refused = Browser::default().send(request).await;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.json()["error"], "invalid_client");
    assert!(world.provider.accepts(&first));
    assert!(world.provider.sign_in("other", "ada", "mail").is_err());
}
