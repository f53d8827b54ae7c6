use token_cache_core::{EntryKey, RefreshOptions};

use super::{
    access_token, api, due,
    provider::{Behaviour, Provider},
    refresh_token, server, stored,
};

fn mail(number: usize) -> EntryKey {
    EntryKey::resource(&format!("https://mail-{number}.example")).unwrap()
}

fn for_mail(number: usize) -> RefreshOptions {
    RefreshOptions::new()
        .spending(api())
        .resource(format!("https://mail-{number}.example"))
        .scopes(["mail.read"])
}

#[tokio::test]
async fn one_refresh_token_gives_tokens_for_another_resource() {
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    let tokens = session
        .get_or_refresh_with(&mail(0), provider.clone(), for_mail(0))
        .await
        .unwrap();
    assert_eq!(access_token(&tokens), "at-1");
    assert!(tokens.refresh_token().is_none());
    assert_eq!(tokens.scopes(), ["mail.read"]);
    let request = provider.last_request();
    assert_eq!(request.resource.as_deref(), Some("https://mail-0.example"));
    assert_eq!(request.scopes, ["mail.read"]);
    // The entry whose refresh token was spent has the new one, and its own access token.
    let spent = stored(&session).await;
    assert_eq!(
        (access_token(&spent), refresh_token(&spent)),
        ("at-0", "rt-1")
    );
    session
        .get_or_refresh_with(&mail(0), provider.clone(), for_mail(0))
        .await
        .unwrap();
    assert_eq!(provider.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_never_spent_twice_at_once() {
    let provider = Provider::new();
    let (store, cache, session) = due(&provider).await;
    let ticket = session.ticket().unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for server in [cache, server(store).await] {
        let session = server.resume(&ticket).await.unwrap();
        for number in 0..4 {
            let (session, provider) = (session.clone(), provider.clone());
            callers.spawn(async move {
                session
                    .get_or_refresh_with(&mail(number), provider, for_mail(number))
                    .await
            });
        }
        let (session, provider) = (session, provider.clone());
        callers.spawn(async move { session.get_or_refresh(&api(), provider).await });
    }
    while let Some(answered) = callers.join_next().await {
        answered.unwrap().unwrap();
    }
    assert_eq!(
        (provider.calls(), provider.reused(), provider.most_at_once()),
        (5, 0, 1)
    );
    assert!(provider.is_live(refresh_token(&stored(&session).await)));
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_want_the_same_resource_share_one_refresh_without_rotation() {
    let provider = Provider::new();
    let (store, cache, session) = due(&provider).await;
    let ticket = session.ticket().unwrap();
    provider.next(Behaviour::Answer(|request| {
        Ok(token_cache_core::TokenSet::new("at-mail")
            .with_expires_at(request.sent_at + std::time::Duration::from_secs(60)))
    }));
    provider.hold();
    let mut callers = tokio::task::JoinSet::new();
    for server in [cache, server(store.clone()).await, server(store).await] {
        let (session, provider) = (server.resume(&ticket).await.unwrap(), provider.clone());
        callers.spawn(async move {
            session
                .get_or_refresh_with(&mail(0), provider, for_mail(0))
                .await
        });
    }
    provider.called(1).await;
    provider.go_on();
    while let Some(answered) = callers.join_next().await {
        assert_eq!(access_token(&answered.unwrap().unwrap()), "at-mail");
    }
    assert_eq!(provider.calls(), 1);
}

#[tokio::test]
async fn a_source_that_needs_no_refresh_token_is_asked_without_one() {
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    let options = RefreshOptions::new().without_refresh_token();
    let own = EntryKey::new("the app's own").unwrap();
    let tokens = session
        .get_or_refresh_with(&own, provider.clone(), options)
        .await
        .unwrap();
    assert_eq!(access_token(&tokens), "at-1");
    assert!(provider.last_request().refresh_token().is_none());
    assert!(session.get(&own).await.unwrap().is_some());
}
