//! Refreshes whose answer arrives at the very end of their session, on a Redis with its own clock.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use token_cache::{
    AccountId, EntryKey, ExposeSecret, SignIn, Timestamp, TokenCache, TokenSet,
    keys::SecretString,
    refresh::{RefreshError, RefreshRequest, Revocation, TokenSource},
};

use crate::refreshes::story::Servers;

const SESSIONS: u64 = 200;

/// A provider that answers at a given time of the store's clock.
#[derive(Clone)]
struct AtTheEnd {
    cache: TokenCache,
    answers_at: Timestamp,
    refresh_token: String,
    revoked: Arc<Mutex<BTreeSet<String>>>,
}

#[async_trait]
impl TokenSource for AtTheEnd {
    async fn refresh(&self, _: RefreshRequest) -> Result<TokenSet, RefreshError> {
        loop {
            let left = self.answers_at.since(self.cache.latest_now().unwrap());
            if left.is_zero() {
                return Ok(TokenSet::new("at-2")
                    .unwrap()
                    .with_refresh_token(&self.refresh_token));
            }
            tokio::time::sleep(left).await;
        }
    }

    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError> {
        let mut revoked = self.revoked.lock().unwrap();
        revoked.insert(refresh_token.expose_secret().to_owned());
        Ok(())
    }

    fn revocation(&self) -> Revocation {
        Revocation::Token
    }
}

/// Each refresh is stored, or its session has ended and its new refresh token is revoked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_at_the_end_of_its_session_leaks_no_refresh_token() {
    let servers = Servers::start().await;
    let revoked = Arc::new(Mutex::new(BTreeSet::new()));
    let refreshes = (0..SESSIONS).map(|n| {
        let (cache, revoked) = (servers.here.clone(), Arc::clone(&revoked));
        tokio::spawn(async move {
            let account = AccountId::new("https://id.example", format!("user {n}")).unwrap();
            let sign_in = SignIn::new(account, &cache.start_sign_in().unwrap());
            let sign_in = sign_in.lifetime(Duration::from_secs(5));
            let session = cache.sign_in(sign_in).await.unwrap();
            let api = EntryKey::resource("https://api.example").unwrap();
            let due = TokenSet::new("at-1")
                .unwrap()
                .with_refresh_token("rt-1")
                .with_expires_at(Timestamp::from_secs(1));
            session.put(&api, due).await.unwrap();
            // From 10 ms before the end to 10 ms after it.
            let answers_at = session.ends_at() - Duration::from_millis(10)
                + Duration::from_millis(20 * n / SESSIONS);
            let refresh_token = format!("rt of {n}");
            let provider = AtTheEnd {
                cache: cache.clone(),
                answers_at,
                refresh_token: refresh_token.clone(),
                revoked: Arc::clone(&revoked),
            };
            match session.get_or_refresh(&api, provider).await {
                Ok(_) => false,
                Err(error) => {
                    assert!(error.is_signed_out(), "{n}: {error}");
                    assert!(
                        revoked.lock().unwrap().contains(&refresh_token),
                        "{n}: leaked"
                    );
                    true
                }
            }
        })
    });
    let mut ended = 0;
    for refresh in refreshes.collect::<Vec<_>>() {
        ended += u64::from(refresh.await.unwrap());
    }
    assert!(ended > 0, "every refresh was stored before the end");
    assert_eq!(revoked.lock().unwrap().len() as u64, ended);
}
