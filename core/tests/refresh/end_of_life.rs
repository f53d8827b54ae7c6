//! The end of a session's life, while it lies within a server's interval for the store's clock.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use token_cache_core::{
    AccountId, AccountKey, BackgroundSessions, Backplane, BeginSession, Begun, Capabilities,
    Diagnostic, Entry, EntryAddress, EntryKey, Error, EvictOptions, EvictTarget, Evicted,
    ExposeSecret, MemoryStore, Namespace, NamespaceRecord, PutMode, PutResult, ReadOptions,
    RefreshError, RefreshLocks, RefreshRequest, Result, Revocation, Secret, SecretString,
    SessionId, SessionRecord, SidIndex, SignIn, TimeSource, Timestamp, TokenCache, TokenSet,
    TokenSource, TokenStore, WriteOptions,
};

/// A store whose time has a precision of a minute: a server knows its clock as an interval of a minute.
#[derive(Clone, Debug)]
struct Coarse(MemoryStore);

#[async_trait]
impl TokenStore for Coarse {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn namespace(&self) -> Result<Namespace> {
        let namespace = self.0.namespace().await?;
        Ok(namespace.precise_to(Duration::from_secs(60)))
    }

    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        self.0.set_namespace(expected, record).await
    }

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        self.0.begin(account, session).await
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        self.0.session(account, session_id, options).await
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        self.0.read(at, options).await
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        self.0.write(at, entry, options).await
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        self.0.remove(at).await
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        self.0.evict(account, target, options).await
    }

    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        self.0.sessions(account, options).await
    }

    fn clock(&self) -> Option<&dyn TimeSource> {
        None
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.0.diagnostics()
    }

    fn refresh_locks(&self) -> Option<&dyn RefreshLocks> {
        self.0.refresh_locks()
    }

    fn sid_index(&self) -> Option<&dyn SidIndex> {
        self.0.sid_index()
    }

    fn background_sessions(&self) -> Option<&dyn BackgroundSessions> {
        self.0.background_sessions()
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        None
    }
}

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
