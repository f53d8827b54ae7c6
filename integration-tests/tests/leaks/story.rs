use std::{error::Error as _, fmt::Write, time::Duration};

use token_cache::{
    AccountId, EntryKey, Error, ErrorKind, ExposeSecret, LogoutMessage, ProviderSid, Secret,
    Session, SignIn, SignOutScope, SignOutScopeKind, Timestamp, TokenCache, TokenSet,
    providers::Provider,
    refresh::{RefreshError, RefreshOptions, RefreshRequest, Revocation},
    store::TokenStore,
};
use token_cache_integration_tests::servers::{
    CLIENT_ID, CLIENT_SECRET, OAuthProvider, ProviderFault,
};

use crate::{PASSWORD, canaries::Canaries};

const SUBJECT: &str = "canary-subject";
const ISSUER: &str = "https://canary-issuer.example";
const SID: &str = "canary-provider-session";
const KEY: &str = "canary-entry-key";
const SECRET: &str = "canary-secret: over 32 bytes of it, as it has to be";
const BYTES: &str = "canary-bytes-of-the-app";

/// A run of every operation of a cache. It prints every value that it gets.
pub(crate) struct Story {
    pub(crate) canaries: Canaries,
    pub(crate) printed: String,
    pub(crate) figures: String,
    provider: OAuthProvider,
    source: Provider,
}

impl Story {
    pub(crate) fn begin() -> Self {
        let mut canaries = Canaries::default();
        for (what, secret) in [
            ("the subject", SUBJECT),
            ("the issuer", "canary-issuer"),
            ("the sid", SID),
            ("an entry's key", KEY),
            ("the secret", SECRET),
            ("the client's secret", CLIENT_SECRET),
            ("the app's own entry", BYTES),
            ("the store's password", PASSWORD),
        ] {
            canaries.add(what, secret);
        }
        let provider = OAuthProvider::start().unwrap();
        let source = source_at(&provider);
        Self {
            canaries,
            printed: String::new(),
            figures: String::new(),
            provider,
            source,
        }
    }

    pub(crate) async fn tell(&mut self, store: impl TokenStore) {
        let recorder = metrics_util::debugging::DebuggingRecorder::new();
        let figures = recorder.snapshotter();
        // Another test of this process may have set the only recorder. Its metrics are searched there.
        let _ = recorder.install();
        let cache = TokenCache::builder(store)
            .secret(Secret::new(SECRET.as_bytes()).unwrap())
            .open()
            .await
            .unwrap();
        self.print(&cache);
        self.use_entries(&cache).await;
        self.refresh(&cache).await;
        self.fail(&cache).await;
        self.lose_to_a_sign_out(&cache).await;
        self.sign_out(&cache).await;
        for token in self.provider.issued() {
            self.canaries.add("a token", token);
        }
        writeln!(
            self.figures,
            "{:?}",
            figures.snapshot().into_hashmap().keys()
        )
        .unwrap();
    }

    async fn signed_in(&mut self, cache: &TokenCache) -> Session {
        let session = loop {
            let started = cache.start_sign_in().unwrap();
            self.print(&started);
            self.canaries.add("a started sign-in", started.to_text());
            let sign_in = SignIn::new(account(), &started)
                .sid(SID)
                .unwrap()
                .background_access();
            self.print(&sign_in);
            match cache.sign_in(sign_in).await {
                Ok(session) => break session,
                // The store's clock is known only approximately, and the last sign-out was just now.
                Err(refused) if refused.kind() == ErrorKind::SignInRevoked => {
                    tokio::task::yield_now().await;
                }
                Err(error) => panic!("{error}"),
            }
        };
        let ticket = session.ticket().unwrap();
        self.print(&ticket);
        self.canaries.add("a ticket", ticket.to_text());
        self.print(&session);
        session
    }

    async fn use_entries(&mut self, cache: &TokenCache) {
        let session = self.signed_in(cache).await;
        session.put(&key(), BYTES.as_bytes()).await.unwrap();
        let entry = session.get(&key()).await.unwrap().unwrap();
        self.print(&entry);
        self.fails(&entry.tokens().unwrap_err());
        self.print(&cache.sessions(&account()).await.unwrap());
        let background_session = cache.background_session(&account()).await.unwrap().unwrap();
        self.print(&background_session);
        session.remove(&key()).await.unwrap();
    }

    /// Returns tokens of the provider that are due.
    fn due(&mut self) -> TokenSet {
        let response = self.provider.sign_in(SUBJECT).unwrap();
        let tokens = TokenSet::from_response(&response, Timestamp::from_secs(1)).unwrap();
        self.print(&tokens);
        tokens
    }

    async fn refresh(&mut self, cache: &TokenCache) {
        let session = self.signed_in(cache).await;
        session.put(&key(), self.due()).await.unwrap();
        let tokens = session
            .get_or_refresh(&key(), self.source.clone())
            .await
            .unwrap();
        self.print(&tokens);
        let other = EntryKey::resource("https://canary-entry-key.example").unwrap();
        let options = RefreshOptions::new().spending(key()).scopes(["openid"]);
        self.print(&options);
        let tokens = session
            .get_or_refresh_with(&other, self.source.clone(), options)
            .await;
        self.print(&tokens.unwrap());
        self.print(&self.source.clone());
    }

    async fn fail(&mut self, cache: &TokenCache) {
        for fault in [
            ProviderFault::Unavailable {
                retry_after: Some(1),
            },
            ProviderFault::Code("invalid_client"),
            ProviderFault::Malformed,
            ProviderFault::NoAccessToken,
            ProviderFault::DropAnswer,
            ProviderFault::Code("invalid_grant"),
        ] {
            let session = self.signed_in(cache).await;
            session.put(&key(), self.due()).await.unwrap();
            self.provider.on_next(fault);
            // It has a source of its own: a source whose client was refused sends no request to the provider for a while.
            let source = source_at(&self.provider);
            let error = session.get_or_refresh(&key(), source).await;
            self.fails(&error.unwrap_err());
        }
        let session = self.signed_in(cache).await;
        session.put(&key(), self.due()).await.unwrap();
        let quiet = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| ()));
        let panicking = |request: RefreshRequest| async move {
            let token = request.refresh_token().unwrap();
            assert_eq!(token.expose_secret(), "another");
            Err(RefreshError::malformed("not called"))
        };
        let error = session.get_or_refresh(&key(), panicking).await.unwrap_err();
        std::panic::set_hook(quiet);
        self.fails(&error);
        let ticket = session.ticket().unwrap().to_text();
        let cut = ticket[..ticket.len() / 8 * 4].parse().unwrap();
        self.fails(&cache.resume(&cut).await.unwrap_err());
        let claims = serde_json::json!({"iss": ISSUER, "sub": SUBJECT, "sid": 7});
        let started = cache.start_sign_in().unwrap();
        self.fails(&SignIn::from_claims(&claims, &started).unwrap_err());
    }

    async fn lose_to_a_sign_out(&mut self, cache: &TokenCache) {
        let session = self.signed_in(cache).await;
        session.put(&key(), self.due()).await.unwrap();
        self.provider.hold();
        let refreshing = tokio::spawn({
            let (session, source) = (session.clone(), self.source.clone());
            async move { session.get_or_refresh(&key(), source).await }
        });
        self.provider.wait_until_holding(1).unwrap();
        self.print(&cache.sign_out_account(&account()).await.unwrap());
        self.provider.release();
        self.fails(&refreshing.await.unwrap().unwrap_err());
        self.fails(&session.get(&key()).await.unwrap_err());
    }

    async fn sign_out(&mut self, cache: &TokenCache) {
        let session = self.signed_in(cache).await;
        session.put(&key(), self.due()).await.unwrap();
        let scope = SignOutScopeKind::Session;
        self.print(&scope);
        let (_, revoking) = session
            .sign_out_and_revoke(scope, &key(), self.source.clone())
            .await
            .unwrap();
        self.print(&revoking);
        revoking.outcome().await.unwrap();

        self.signed_in(cache).await;
        let scope = SignOutScope::ProviderSession(ProviderSid::new(ISSUER, SID).unwrap());
        self.print(&scope);
        self.print(&cache.sign_out(scope).await.unwrap());
        let now =
            Timestamp::from_system_time(std::time::SystemTime::now()) + Duration::from_secs(60);
        let message = LogoutMessage::new(ISSUER, now).unwrap();
        let message = message
            .subject(SUBJECT)
            .unwrap()
            .sid("canary-other-sid")
            .unwrap();
        self.print(&message);
        self.print(&cache.sign_out_by(&message).await.unwrap());
    }

    fn print(&mut self, what: &impl std::fmt::Debug) {
        writeln!(self.printed, "{what:?} {what:#?}").unwrap();
    }

    fn fails(&mut self, error: &Error) {
        writeln!(self.printed, "{error} {error:?} {error:#?}").unwrap();
        let mut source = error.source();
        while let Some(error) = source {
            writeln!(self.printed, "{error} {error:?}").unwrap();
            source = error.source();
        }
    }
}

fn source_at(provider: &OAuthProvider) -> Provider {
    Provider::builder(provider.token_url(), CLIENT_ID)
        .client_secret(CLIENT_SECRET)
        .revocation(provider.revocation_url(), Revocation::Token)
        .build()
        .unwrap()
}

fn account() -> AccountId {
    AccountId::new(ISSUER, SUBJECT).unwrap()
}

fn key() -> EntryKey {
    EntryKey::new(KEY).unwrap()
}
