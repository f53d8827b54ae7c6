//! The end of a session's life, while it lies within a server's interval for the store's clock.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use token_cache_core::{
    AccountId, Backplane, EntryKey, Error, ExposeSecret, MemoryStore, Namespace, PutMode,
    RefreshError, RefreshRequest, Result, Revocation, Secret, SecretString, SignIn, TimeSource,
    Timestamp, TokenCache, TokenSet, TokenSource, TokenStore, delegate_store,
};

/// A store whose time has a precision of a minute: a server knows its clock as an interval of a minute.
#[derive(Clone, Debug)]
struct Coarse(MemoryStore);

#[async_trait]
impl TokenStore for Coarse {
    async fn namespace(&self) -> Result<Namespace> {
        let namespace = self.0.namespace().await?;
        Ok(namespace.precise_to(Duration::from_secs(60)))
    }

    fn clock(&self) -> Option<&dyn TimeSource> {
        None
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        None
    }

    delegate_store!(self => self.0; capabilities, set_namespace, begin, session, read, write, remove, evict, sessions, diagnostics);
}

delegate_store!(impl RefreshLocks, SidIndex, BackgroundSessions for Coarse => 0);

impl fmt::Display for Coarse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A provider that answers when the session has ended by the upper end of the interval, but not yet by the lower one.
#[derive(Clone, Default)]
struct Late {
    over_at: Timestamp,
    cache: Option<TokenCache>,
    revoked: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl TokenSource for Late {
    async fn refresh(&self, _: RefreshRequest) -> Result<TokenSet, RefreshError> {
        let cache = self.cache.as_ref().unwrap();
        while cache.latest_now().unwrap() < self.over_at {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(TokenSet::new("at-2").unwrap().with_refresh_token("rt-2"))
    }

    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError> {
        let mut revoked = self.revoked.lock().unwrap();
        revoked.push(refresh_token.expose_secret().to_owned());
        Ok(())
    }

    fn revocation(&self) -> Revocation {
        Revocation::Token
    }
}

/// The provider counts a token's lifetime from a time after its request was sent. A server that counted from the upper end of the
/// interval would serve the token after its end, for up to the width of the interval.
#[tokio::test]
async fn a_token_that_is_stamped_with_now_is_never_served_after_its_end() {
    let store = Coarse(MemoryStore::new());
    let here = TokenCache::open(store.clone(), Secret::random().unwrap());
    let here = here.await.unwrap();
    let width = here.latest_now().unwrap().since(here.now().unwrap());
    assert!(width >= Duration::from_secs(50), "{width:?}");

    // The memory store's own clock is the true one.
    let sent_at = here.now().unwrap();
    let truth = store.0.clock().unwrap().now();
    let life = Duration::from_secs(3_600);
    let response = serde_json::json!({"access_token": "at-1", "expires_in": life.as_secs()});
    let tokens = TokenSet::from_response(&response, sent_at).unwrap();
    let expires_at = tokens.expires_at().unwrap();
    assert!(expires_at <= truth + life, "{expires_at} {truth}");
    assert!(here.latest_now().unwrap() >= truth);
}

/// Every kind of write is refused as one of an ended session, and the new refresh token is revoked.
#[tokio::test]
async fn writes_within_the_interval_are_signed_out_and_leak_no_refresh_token() {
    let store = Coarse(MemoryStore::new());
    let cache = TokenCache::open(store, Secret::random().unwrap())
        .await
        .unwrap();
    let ada = AccountId::new("https://id.example", "ada").unwrap();
    let api = EntryKey::resource("https://api.example").unwrap();
    let started = cache.start_sign_in().unwrap();
    let sign_in = SignIn::new(ada.clone(), &started)
        .lifetime(Duration::from_secs(1))
        .background_access();
    let session = cache.sign_in(sign_in).await.unwrap();
    let due = TokenSet::new("at-1")
        .unwrap()
        .with_refresh_token("rt-1")
        .with_expires_at(Timestamp::from_secs(1));
    session.put(&api, due.clone()).await.unwrap();
    let provider = Late {
        over_at: session.ends_at(),
        cache: Some(cache.clone()),
        revoked: Arc::default(),
    };

    let refreshed = session.get_or_refresh(&api, provider.clone()).await;
    assert!(
        refreshed.as_ref().is_err_and(Error::is_signed_out),
        "{refreshed:?}"
    );
    assert_eq!(*provider.revoked.lock().unwrap(), ["rt-2"]);

    assert!(cache.now().unwrap() < session.ends_at());
    assert!(cache.latest_now().unwrap() >= session.ends_at());
    for mode in [PutMode::Overwrite, PutMode::Create] {
        let put = session.put_if(&api, due.clone(), mode).await;
        assert!(put.as_ref().is_err_and(Error::is_signed_out), "{put:?}");
    }
    let put = session.put(&api, b"bytes".as_slice()).await;
    assert!(put.as_ref().is_err_and(Error::is_signed_out), "{put:?}");
    let refreshed = session.get_or_refresh(&api, provider.clone()).await;
    assert!(
        refreshed.as_ref().is_err_and(Error::is_signed_out),
        "{refreshed:?}"
    );
    assert!(cache.background_session(&ada).await.unwrap().is_none());
    assert_eq!(provider.revoked.lock().unwrap().len(), 1);
}
