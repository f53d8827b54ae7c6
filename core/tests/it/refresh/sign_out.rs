use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use token_cache_core::{
    ErrorKind, MemoryStore, RefreshError, RefreshRequest, Revocation, SecretString,
    SignOutScopeKind, Ticket, TokenCache, TokenSet, TokenSource, Wait, test_util::FailingStore,
};

use super::{ada, api, due, provider::Provider, refresh_token, server, signed_in, stored};

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_a_sign_out_overtook_is_refused_and_its_token_revoked() {
    let provider = Provider::new();
    let (_, cache, session) = due(&provider).await;
    provider.hold();
    let refreshing = tokio::spawn({
        let (session, provider) = (session.clone(), provider.clone());
        async move { session.get_or_refresh(&api(), provider).await }
    });
    provider.called(1).await;
    assert!(cache.sign_out_account(&ada()).await.unwrap().ended);
    provider.go_on();
    assert!(refreshing.await.unwrap().unwrap_err().is_signed_out());
    assert_eq!(provider.revoked(), ["rt-1"]);
    assert!(session.get(&api()).await.unwrap_err().is_signed_out());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_source_can_not_revoke_is_signed_out_all_the_same() {
    let provider = Provider::new();
    let (_, cache, session) = due(&provider).await;
    provider.hold();
    let closure = {
        let provider = provider.clone();
        move |request| {
            let provider = provider.clone();
            async move { provider.refresh(request).await }
        }
    };
    let refreshing = tokio::spawn({
        let session = session.clone();
        async move { session.get_or_refresh(&api(), closure).await }
    });
    provider.called(1).await;
    let _ = cache.sign_out_account(&ada()).await.unwrap();
    provider.go_on();
    assert!(refreshing.await.unwrap().unwrap_err().is_signed_out());
}

#[tokio::test]
async fn a_sign_out_revokes_what_the_session_held() {
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    let held = refresh_token(&stored(&session).await).to_owned();
    let (signed_out, revoking) = session
        .sign_out_and_revoke(SignOutScopeKind::Account, &api(), provider.clone())
        .await
        .unwrap();
    assert!(signed_out.ended);
    revoking.outcome().await.unwrap();
    assert_eq!(provider.revoked(), [held]);
}

/// A provider that checks, when it is asked to revoke a token, whether the session has ended by then.
struct Looks {
    cache: TokenCache,
    ticket: Ticket,
    found: Arc<Mutex<Vec<Result<(), ErrorKind>>>>,
}

#[async_trait]
impl TokenSource for Looks {
    async fn refresh(&self, _: RefreshRequest) -> Result<TokenSet, RefreshError> {
        Err(RefreshError::refused("it only looks"))
    }

    async fn revoke(&self, _: SecretString) -> Result<(), RefreshError> {
        let resumed = self.cache.resume(&self.ticket).await;
        let found = resumed.map(drop).map_err(|error| error.kind());
        self.found.lock().unwrap().push(found);
        Ok(())
    }

    fn revocation(&self) -> Revocation {
        Revocation::Token
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_revoked_after_the_eviction() {
    let (_, cache, session) = due(&Provider::new()).await;
    let found = Arc::default();
    let looks = Looks {
        cache,
        ticket: session.ticket().unwrap(),
        found: Arc::clone(&found),
    };
    let scope = SignOutScopeKind::Session;
    let (_, revoking) = session
        .sign_out_and_revoke(scope, &api(), looks)
        .await
        .unwrap();
    revoking.outcome().await.unwrap();
    assert_eq!(*found.lock().unwrap(), [Err(ErrorKind::SignedOut)]);
}

/// The browser closes the connection while its sign-out waits for the store.
#[tokio::test(start_paused = true)]
async fn what_a_sign_out_ended_is_revoked_though_its_caller_went_away() {
    let provider = Provider::new();
    let inner = MemoryStore::new();
    let store = FailingStore::new(inner.clone());
    let session = signed_in(&server(store.clone()).await).await;
    session.put(&api(), provider.expired()).await.unwrap();
    let other = server(inner).await;
    let ticket = session.ticket().unwrap();
    store.answer_late(Duration::from_secs(1));
    let signing_out = tokio::spawn({
        let provider = provider.clone();
        async move {
            let scope = SignOutScopeKind::Account;
            session
                .sign_out_and_revoke_with(scope, &api(), provider, Wait::Everywhere)
                .await
                .map(drop)
        }
    });
    while other.resume(&ticket).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!signing_out.is_finished());
    signing_out.abort();
    assert!(signing_out.await.unwrap_err().is_cancelled());
    tokio::time::timeout(Duration::from_secs(10), async {
        while provider.revoked().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(provider.revoked(), ["rt-0"]);
}

#[tokio::test]
async fn a_grant_is_not_revoked_under_another_session() {
    let provider = Provider::revoking(Revocation::Grant);
    let (_, cache, session) = due(&provider).await;
    let other = signed_in(&cache).await;
    other.put(&api(), provider.expired()).await.unwrap();
    let scope = SignOutScopeKind::Session;
    let (_, revoking) = session
        .sign_out_and_revoke(scope, &api(), provider.clone())
        .await
        .unwrap();
    revoking.outcome().await.unwrap();
    assert_eq!(provider.revoked(), [""; 0]);

    let scope = SignOutScopeKind::Session;
    let (_, revoking) = other
        .sign_out_and_revoke(scope, &api(), provider.clone())
        .await
        .unwrap();
    revoking.outcome().await.unwrap();
    assert_eq!(provider.revoked().len(), 1);
}

#[tokio::test]
async fn without_revocation_nothing_is_revoked() {
    let provider = Provider::revoking(Revocation::None);
    let (_, _, session) = due(&provider).await;
    let scope = SignOutScopeKind::Account;
    let (_, revoking) = session
        .sign_out_and_revoke(scope, &api(), provider.clone())
        .await
        .unwrap();
    revoking.outcome().await.unwrap();
    assert_eq!(provider.revoked(), [""; 0]);
    let ended = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap_err();
    assert_eq!((ended.kind(), provider.calls()), (ErrorKind::SignedOut, 0));
}
