//! An app under test: one or more servers on a store that fails on demand, and browsers that keep cookies.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use axum::{Router, body::Body, routing::get};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use token_cache_core::{
    AccountId, EntryKey, MemoryStore, Secret, Session, SignIn, TokenCache, TokenSet,
    test_util::{FailingStore, ManualClock},
};
use token_cache_sign_out::{
    ClientRegistration, FrontChannelParameters, SignOutEvent, SignOutRoutes, SignOutRoutesBuilder,
    SignedIn, TicketCookie, id_token_key,
};
use tokio::{sync::mpsc, time};
use tower::ServiceExt;
use url::Url;

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const END_SESSION: &str = "https://id.example/end?tenant=1";
pub(crate) const RETURN_TO: &str = "https://shop.example/signed-out";
pub(crate) const COOKIE: &str = "__Host-shop";

/// One server of the app.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) cache: TokenCache,
    pub(crate) routes: SignOutRoutes,
    pub(crate) router: Router,
}

/// Two servers on one store, and the sign-out events that they received.
pub(crate) struct Shop {
    pub(crate) store: FailingStore,
    clock: ManualClock,
    pub(crate) here: Server,
    pub(crate) there: Server,
    told: tokio::sync::Mutex<mpsc::UnboundedReceiver<SignOutEvent>>,
}

/// The registration that most tests use.
pub(crate) fn client() -> ClientRegistration {
    ClientRegistration::new(ISSUER, "shop")
        .jwks("{\"keys\":[]}")
        .end_session_endpoint(END_SESSION)
        .post_logout_redirect_uri(RETURN_TO)
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::with(|builder| builder.client(client())).await
    }

    /// Returns an app whose provider's front-channel requests have neither `iss` nor `sid`.
    pub(crate) async fn nameless() -> Self {
        let client = || client().front_channel_parameters(FrontChannelParameters::None);
        Self::with(|builder| builder.client(client())).await
    }

    pub(crate) async fn with(
        settings: impl Fn(SignOutRoutesBuilder) -> SignOutRoutesBuilder,
    ) -> Self {
        let clock = ManualClock::new();
        let store = FailingStore::new(MemoryStore::with_clock(clock.clone()));
        let secret = Secret::random().unwrap();
        let (tell, told) = mpsc::unbounded_channel();
        let server = async || {
            let cache = TokenCache::open(store.clone(), secret.clone())
                .await
                .unwrap();
            let tell = tell.clone();
            let builder = SignOutRoutes::builder(cache.clone())
                .ticket_source(TicketCookie::host("shop").unwrap())
                .after_sign_out("/bye")
                .on_sign_out(move |event| {
                    let tell = tell.clone();
                    async move { tell.send(event).unwrap() }
                });
            let routes = settings(builder).build().unwrap();
            let layer = routes.session_check();
            Server {
                cache,
                router: router(&routes).layer(layer),
                routes,
            }
        };
        Self {
            here: server().await,
            there: server().await,
            store,
            clock,
            told: tokio::sync::Mutex::new(told),
        }
    }

    /// Returns the next event.
    pub(crate) async fn told(&self) -> SignOutEvent {
        let mut told = self.told.lock().await;
        let next = time::timeout(Duration::from_secs(60), told.recv()).await;
        next.expect("the app received no event").unwrap()
    }

    /// Returns `true` if the app received no other event. It checks this with one more sign-out, whose event must be
    /// the next one.
    pub(crate) async fn was_told_no_more(&self) -> bool {
        let path = format!("/frontchannel-logout?iss={ISSUER}&sid=one%20more");
        Browser::default().frame(&self.here, &path).await;
        let next = self.told().await.provider_session;
        next.is_some_and(|session| session.sid() == "one more")
    }

    /// Returns a browser that signs in as `subject` with this `sid`, later than everything before.
    pub(crate) async fn sign_in(&self, subject: &str, sid: &str) -> Browser {
        self.clock.advance(Duration::from_secs(1));
        let session = begin(&self.here.cache, subject, sid).await;
        let id_token = id_token(subject, sid);
        session
            .put(&id_token_key().unwrap(), id_token.as_bytes())
            .await
            .unwrap();
        session
            .put(
                &api(),
                TokenSet::new("at").unwrap().with_refresh_token("rt"),
            )
            .await
            .unwrap();
        Browser::with_ticket(&session)
    }
}

pub(crate) async fn begin(cache: &TokenCache, subject: &str, sid: &str) -> Session {
    let account = AccountId::new(ISSUER, subject).unwrap();
    let started = cache.start_sign_in().unwrap();
    let sign_in = SignIn::new(account, &started).sid(sid).unwrap();
    cache.sign_in(sign_in).await.unwrap()
}

/// Returns the app: a public page, a page for signed-in users, and the routes.
pub(crate) fn router(routes: &SignOutRoutes) -> Router {
    let anybody = |visitor: Option<SignedIn>| async move {
        if visitor.is_some() {
            "somebody"
        } else {
            "anybody"
        }
    };
    let me = |session: SignedIn| async move {
        match session.get(&api()).await {
            Ok(Some(_)) => "tokens",
            Ok(None) => "no tokens",
            Err(error) => panic!("{error}"),
        }
    };
    Router::new()
        .route("/", get(anybody))
        .route("/login", get(anybody))
        .route("/me", get(me))
        .merge(routes.axum_routes())
}

pub(crate) fn api() -> EntryKey {
    EntryKey::resource("https://api.example").unwrap()
}

/// Returns an ID token. The app verified it at sign-in, and the routes do not verify its signature.
pub(crate) fn id_token(subject: &str, sid: &str) -> String {
    let claims = format!(r#"{{"iss":"{ISSUER}","sub":"{subject}","aud":["shop"],"sid":"{sid}"}}"#);
    format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))
}

/// A browser that keeps cookies and states the origin of its requests.
#[derive(Default)]
pub(crate) struct Browser {
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    pub(crate) fn with_ticket(session: &Session) -> Self {
        let browser = Self::default();
        browser.set(COOKIE, &session.ticket().unwrap().to_text());
        browser
    }

    pub(crate) fn set(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap();
        cookies.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn holds_ticket(&self) -> bool {
        self.cookie(COOKIE).is_some()
    }

    /// Returns another tab with the current cookies.
    pub(crate) fn copy(&self) -> Self {
        Self {
            cookies: Mutex::new(self.cookies.lock().unwrap().clone()),
        }
    }

    pub(crate) async fn get(&self, server: &Server, path: &str) -> Answer {
        self.send(server, Request::get(path)).await
    }

    /// Presses the button on the app's own page.
    pub(crate) async fn log_out(&self, server: &Server) -> Answer {
        let request = Request::post("/logout").header("sec-fetch-site", "same-origin");
        self.send(server, request).await
    }

    /// Loads a frame in a page of another site. The browser may send cookies there, or not.
    pub(crate) async fn frame(&self, server: &Server, path: &str) -> Answer {
        let request = Request::get(path)
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-dest", "iframe");
        self.send(server, request).await
    }

    pub(crate) async fn send(&self, server: &Server, request: http::request::Builder) -> Answer {
        let cookies = {
            let cookies = self.cookies.lock().unwrap();
            let pairs: Vec<_> = cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
            pairs.join("; ")
        };
        let mut request = request.body(Body::empty()).unwrap();
        let headers = request.headers_mut();
        headers
            .entry(header::HOST)
            .or_insert("shop.example".parse().unwrap());
        if !cookies.is_empty() {
            headers.insert(header::COOKIE, cookies.parse().unwrap());
        }
        let answer = server.router.clone().oneshot(request).await.unwrap();
        let answer = Answer::of(answer).await;
        self.keep(&answer.headers);
        answer
    }

    fn keep(&self, headers: &HeaderMap) {
        for set in headers.get_all(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (pair, attributes) = set.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// The response of a server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    async fn of(answer: Response<Body>) -> Self {
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns the target of the redirect.
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{self:?}");
        self.header("location").unwrap()
    }

    /// Returns the parameters of the redirect to the provider.
    pub(crate) fn at_provider(&self) -> BTreeMap<String, String> {
        let url = Url::parse(self.location()).unwrap();
        assert_eq!(url.origin().ascii_serialization(), ISSUER);
        assert_eq!(url.path(), "/end");
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        let parameters: BTreeMap<_, _> = pairs.iter().cloned().collect();
        assert_eq!(parameters.len(), pairs.len(), "a parameter came twice");
        parameters
    }
}

/// Returns the status of `/me`: 200 if the browser is signed in, otherwise 401.
pub(crate) async fn me(browser: &Browser, server: &Server) -> StatusCode {
    browser.copy().get(server, "/me").await.status
}

pub(crate) fn request(method: &Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path)
}
