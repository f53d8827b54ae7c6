use std::time::Duration;

use token_cache_core::{
    AfterLostAnswer, EntryKey, MemoryStore, RefreshOptions, RefreshPolicy, TokenSet,
};

use super::{
    access_token, api, due,
    freed_by_version::FreedByVersion,
    provider::{Behaviour, Provider},
    refresh_token, server, server_with, signed_in, stored,
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

/// The app removes or replaces the requested entry while the provider is called.
#[tokio::test]
async fn what_was_removed_or_put_meanwhile_stays_so() {
    for (was_there, put) in [(true, false), (true, true), (false, true)] {
        let provider = Provider::new();
        let (_, cache, session) = due(&provider).await;
        if was_there {
            let soon = cache.now().unwrap() + Duration::from_secs(4);
            let due = TokenSet::new("due").unwrap().with_expires_at(soon);
            session.put(&mail(0), due).await.unwrap();
        }
        provider.hold();
        let refreshing = tokio::spawn({
            let (session, provider) = (session.clone(), provider.clone());
            async move {
                let wanted = mail(0);
                let refreshed = session.get_or_refresh_with(&wanted, provider, for_mail(0));
                refreshed.await
            }
        });
        provider.called(1).await;
        if put {
            let put = TokenSet::new("put").unwrap();
            session.put(&mail(0), put).await.unwrap();
        } else {
            session.remove(&mail(0)).await.unwrap();
        }
        provider.go_on();
        let tokens = refreshing.await.unwrap().unwrap();
        assert_eq!(access_token(&tokens), "at-1");
        let left = session.get(&mail(0)).await.unwrap();
        let left = left.map(|entry| entry.tokens().unwrap());
        let expected = put.then_some("put");
        assert_eq!(left.as_ref().map(access_token), expected);
        // The new refresh token is stored nevertheless.
        assert_eq!(refresh_token(&stored(&session).await), "rt-1");
    }
}

/// The requested entry expires while the provider is called: it is created again.
#[tokio::test]
async fn what_has_expired_meanwhile_is_stored() {
    let provider = Provider::new();
    let (_, cache, session) = due(&provider).await;
    let soon = cache.now().unwrap() + Duration::from_secs(1);
    let old = TokenSet::new("due").unwrap().with_expires_at(soon);
    session.put(&mail(0), old).await.unwrap();
    provider.hold();
    let refreshing = tokio::spawn({
        let (session, provider) = (session.clone(), provider.clone());
        async move {
            let wanted = mail(0);
            let refreshed = session.get_or_refresh_with(&wanted, provider, for_mail(0));
            refreshed.await
        }
    });
    provider.called(1).await;
    while session.get(&mail(0)).await.unwrap().is_some() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    provider.go_on();
    let tokens = refreshing.await.unwrap().unwrap();
    assert_eq!(access_token(&tokens), "at-1");
    let left = session.get(&mail(0)).await.unwrap().unwrap();
    assert_eq!(access_token(&left.tokens().unwrap()), "at-1");
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
            .unwrap()
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

/// If a new version releases the lock, writing the rotated token would let waiting servers in before the tokens that they wait
/// for are stored.
#[tokio::test(start_paused = true)]
async fn servers_that_want_the_same_resource_share_one_refresh_whatever_frees_the_lock() {
    for after_lost_answer in [AfterLostAnswer::SendAgain, AfterLostAnswer::EndSession] {
        let mut policy = RefreshPolicy::default();
        policy.after_lost_answer = after_lost_answer;
        let store = FreedByVersion::default();
        let provider = Provider::new();
        let session = signed_in(&server_with(store.clone(), policy).await).await;
        session.put(&api(), provider.expired()).await.unwrap();
        let ticket = session.ticket().unwrap();
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let server = server_with(store.clone(), policy).await;
            let session = server.resume(&ticket).await.unwrap();
            for number in [0, 1, 2, 0, 1, 2] {
                let (session, provider) = (session.clone(), provider.clone());
                callers.spawn(async move {
                    session
                        .get_or_refresh_with(&mail(number), provider, for_mail(number))
                        .await
                });
            }
        }
        while let Some(answered) = callers.join_next().await {
            answered.unwrap().unwrap();
        }
        assert_eq!(
            (provider.calls(), provider.reused(), provider.most_at_once()),
            (3, 0, 1),
            "{after_lost_answer:?}"
        );
        assert!(provider.is_live(refresh_token(&stored(&session).await)));
    }
}

/// The record that the token was sent is removed after the answer, even if nothing else changes.
#[tokio::test]
async fn a_refresh_token_that_stays_as_it_was_is_sent_for_the_next_resource() {
    let mut policy = RefreshPolicy::default();
    policy.after_lost_answer = AfterLostAnswer::EndSession;
    policy.lease = std::time::Duration::from_secs(1);
    let provider = Provider::new();
    let session = signed_in(&server_with(MemoryStore::new(), policy).await).await;
    session.put(&api(), provider.expired()).await.unwrap();
    for number in 0..2 {
        provider.next(Behaviour::Answer(|request| {
            Ok(token_cache_core::TokenSet::new("at-mail")
                .unwrap()
                .with_expires_at(request.sent_at + std::time::Duration::from_secs(60)))
        }));
        let tokens = session
            .get_or_refresh_with(&mail(number), provider.clone(), for_mail(number))
            .await
            .unwrap();
        assert_eq!(access_token(&tokens), "at-mail");
    }
    let spent = stored(&session).await;
    assert_eq!((refresh_token(&spent), provider.calls()), ("rt-0", 2));
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

/// An entry that does not exist provides its name, and thus its lock, to a refresh that needs no refresh token.
#[tokio::test(start_paused = true)]
async fn an_entry_that_spends_a_missing_one_is_refreshed_at_its_second_expiry_as_well() {
    let provider = Provider::new();
    let session = signed_in(&server(MemoryStore::new()).await).await;
    session.put(&mail(0), provider.expired()).await.unwrap();
    let options = || for_mail(0).without_refresh_token();
    let begun = tokio::time::Instant::now();
    for expiry in 1..=2 {
        let tokens = session
            .get_or_refresh_with(&mail(0), provider.clone(), options())
            .await
            .unwrap();
        assert_eq!(access_token(&tokens), format!("at-{}", 2 * expiry - 1));
        assert_eq!(provider.calls(), expiry);
        session.put(&mail(0), provider.expired()).await.unwrap();
    }
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(1),
        "the lock was not released"
    );
}
