use std::time::Duration;

use super::{DevelopmentProvider, app::Tokens, world};

/// Fails if the provider holds nothing, instead of waiting forever.
async fn held(provider: &DevelopmentProvider) {
    let held = tokio::time::timeout(Duration::from_secs(20), provider.refresh_held());
    held.await.expect("no refresh is held");
}

#[tokio::test]
async fn a_refresh_that_is_held_is_carried_out_and_answered_after_the_sign_out() {
    let mut world = world();
    let tokens = world.app.sign_in(&mut world.browser, "Ada").await;
    world.provider.hold_refreshes();
    let refresh = world.app.refresh(&tokens.refresh);
    let meanwhile = async {
        held(&world.provider).await;
        world.browser.post(world.app.at("/sign-out"), &[]).await;
        let counts = world.provider.counts();
        assert_eq!((counts.refreshes, counts.sign_outs), (1, 1));
        world.provider.release_refreshes();
    };
    let (answer, ()) = tokio::join!(refresh, meanwhile);
    let late = Tokens::of(&answer);
    Tokens::of(&world.app.refresh(&late.refresh).await);
}

#[tokio::test]
async fn a_provider_that_is_dropped_lets_go_of_its_port_and_of_who_waits() {
    let mut world = world();
    let tokens = world.app.sign_in(&mut world.browser, "Ada").await;
    world.provider.hold_refreshes();
    let address = world.provider.issuer().replace("http://", "");
    let refresh = tokio::spawn(async move { world.app.refresh(&tokens.refresh).await.status() });
    held(&world.provider).await;
    drop(world.provider);
    assert_eq!(refresh.await.unwrap(), 200);
    while tokio::net::TcpListener::bind(&address).await.is_err() {
        tokio::task::yield_now().await;
    }
}
