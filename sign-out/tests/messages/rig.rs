//! A cache with a fixed clock, the routes of an app, and signed-in users.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};
use token_cache_core::{
    AccountId, MemoryStore, Secret, Session, SidMeaning, SignIn, Ticket, Timestamp, TokenCache,
    test_util::{FailingStore, ManualClock, RuntimeBootTime},
};
use token_cache_sign_out::{
    Algorithm, ClientRegistration, SignOutEvent, SignOutRoutes, SignOutRoutesBuilder,
};
use tokio::{sync::mpsc, time};

use crate::signer::{Signer, jwks};

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const CLIENT: &str = "shop";
pub(crate) const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

pub(crate) struct Rig {
    pub(crate) clock: ManualClock,
    pub(crate) store: FailingStore,
    pub(crate) cache: TokenCache,
    secret: Secret,
    pub(crate) signer: Signer,
    pub(crate) routes: SignOutRoutes,
}

/// How a user signs in.
#[derive(Clone, Copy, Default)]
pub(crate) struct As<'a> {
    pub(crate) issuer: Option<&'a str>,
    pub(crate) sid: Option<&'a str>,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(Algorithm::Es256, |routes| routes).await
    }

    pub(crate) async fn with(
        algorithm: Algorithm,
        more: impl FnOnce(SignOutRoutesBuilder) -> SignOutRoutesBuilder,
    ) -> Self {
        let signer = Signer::new("1", algorithm);
        let client = ClientRegistration::new(ISSUER, CLIENT)
            .algorithms([algorithm])
            .jwks(jwks(&[&signer]));
        Self::of(signer, SidMeaning::Session, |cache| {
            more(SignOutRoutes::builder(cache).client(client))
        })
        .await
    }

    /// Returns an app whose provider sends one `sid` for all sessions of a user.
    pub(crate) async fn where_a_sid_means_the_account() -> Self {
        let signer = Signer::new("1", Algorithm::Es256);
        let client = ClientRegistration::new(ISSUER, CLIENT)
            .algorithms([Algorithm::Es256])
            .jwks(jwks(&[&signer]));
        Self::of(signer, SidMeaning::Account, |cache| {
            SignOutRoutes::builder(cache).client(client)
        })
        .await
    }

    pub(crate) async fn of(
        signer: Signer,
        sid_meaning: SidMeaning,
        routes: impl FnOnce(TokenCache) -> SignOutRoutesBuilder,
    ) -> Self {
        let clock = ManualClock::new();
        let store = FailingStore::new(MemoryStore::with_clock(clock.clone()));
        let secret = Secret::random().unwrap();
        let cache = TokenCache::builder(store.clone())
            .secret(secret.clone())
            .sid_meaning(sid_meaning)
            .boot_time(RuntimeBootTime::new())
            .open()
            .await
            .unwrap();
        let routes = routes(cache.clone()).build().unwrap();
        Self {
            clock,
            store,
            cache,
            secret,
            signer,
            routes,
        }
    }

    /// Returns the cache of another server on the same store.
    pub(crate) async fn other_server(&self) -> TokenCache {
        TokenCache::open(self.store.clone(), self.secret.clone())
            .await
            .unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        token_cache_core::TimeSource::now(&self.clock)
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.now().as_millis() / 1000
    }

    /// Signs in a user who authenticates now.
    pub(crate) async fn sign_in(&self, subject: &str, how: As<'_>) -> Ticket {
        self.try_sign_in(subject, how)
            .await
            .unwrap()
            .ticket()
            .unwrap()
    }

    pub(crate) async fn try_sign_in(
        &self,
        subject: &str,
        how: As<'_>,
    ) -> token_cache_core::Result<Session> {
        let started = self.cache.start_sign_in()?;
        let account = AccountId::new(how.issuer.unwrap_or(ISSUER), subject)?;
        let mut sign_in = SignIn::new(account, &started).auth_time(self.now());
        if let Some(sid) = how.sid {
            sign_in = sign_in.sid(sid)?;
        }
        self.cache.sign_in(sign_in).await
    }

    pub(crate) async fn is_signed_in(&self, ticket: &Ticket) -> bool {
        match self.cache.resume(ticket).await {
            Ok(_) => true,
            Err(error) if error.is_signed_out() => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Returns the claims of a valid logout token that is issued now.
    pub(crate) fn claims(&self) -> Value {
        json!({
            "iss": ISSUER, "aud": CLIENT, "iat": self.seconds(), "exp": self.seconds() + 120,
            "jti": "bWJq", "events": {EVENT: {}},
        })
    }

    /// Returns a valid token of a user, a session, or both.
    pub(crate) fn token(&self, subject: Option<&str>, sid: Option<&str>) -> String {
        let mut claims = self.claims();
        if let Some(subject) = subject {
            claims["sub"] = subject.into();
        }
        if let Some(sid) = sid {
            claims["sid"] = sid.into();
        }
        self.signed(&claims)
    }

    pub(crate) fn header(&self) -> Value {
        json!({"typ": "logout+jwt", "alg": self.signer.alg(), "kid": self.signer.id})
    }

    pub(crate) fn signed(&self, claims: &Value) -> String {
        self.signer
            .sign(&self.header().to_string(), &claims.to_string())
    }

    /// Returns the response to this token.
    pub(crate) async fn send(&self, token: &str) -> Answer {
        Answer::of(self.routes.back_channel_logout(post(token)).await)
    }
}

/// Returns the next event of an app.
pub(crate) async fn told(tellings: &mut mpsc::UnboundedReceiver<SignOutEvent>) -> SignOutEvent {
    let next = time::timeout(Duration::from_secs(60), tellings.recv()).await;
    next.expect("the app received no event").unwrap()
}

/// A provider's request.
pub(crate) fn post(token: &str) -> Request<Full<Bytes>> {
    post_form(format!("logout_token={token}"))
}

pub(crate) fn post_form(form: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post("/backchannel-logout")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(form.into()))
        .unwrap()
}

/// The response to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
    pub(crate) retry_after: bool,
}

impl Answer {
    /// Checks that caches do not store the response.
    pub(crate) fn of(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        assert_eq!(parts.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(
            parts.status == StatusCode::METHOD_NOT_ALLOWED,
            parts
                .headers
                .get(header::ALLOW)
                .is_some_and(|allow| allow == "POST")
        );
        Self {
            status: parts.status,
            body: String::from_utf8(body.to_vec()).unwrap(),
            retry_after: parts.headers.contains_key(header::RETRY_AFTER),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.status == StatusCode::OK && self.body.is_empty()
    }
}
