use std::time::Duration;

use actix_web::{
    App, Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::header::SET_COOKIE,
    web,
};
use token_cache_core::{
    AccountId, MemoryStore, Secret, Session, SignIn, TokenCache,
    test_util::{FailingStore, ManualClock},
};
use token_cache_sign_out::{
    Algorithm, ClientRegistration, SignOutRoutes, SignOutRoutesBuilder, SignedIn,
    SignedInRejection, TicketCookie,
    actix::{ActixSignOut, SessionCheck},
};

use crate::signer::{Signer, jwks};

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const COOKIE: &str = "__Host-shop";

pub(crate) struct Shop {
    pub(crate) store: FailingStore,
    pub(crate) cache: TokenCache,
    pub(crate) clock: ManualClock,
    pub(crate) routes: SignOutRoutes,
    /// The provider's key.
    pub(crate) signer: Signer,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::with(|builder| builder.ticket_source(TicketCookie::host("shop").unwrap())).await
    }

    pub(crate) async fn with(
        settings: impl FnOnce(SignOutRoutesBuilder) -> SignOutRoutesBuilder,
    ) -> Self {
        let clock = ManualClock::new();
        let store = FailingStore::new(MemoryStore::with_clock(clock.clone()));
        let secret = Secret::random().unwrap();
        let cache = TokenCache::open(store.clone(), secret).await.unwrap();
        let signer = Signer::new("1", Algorithm::Es256);
        let client = ClientRegistration::new(ISSUER, "shop")
            .algorithms([Algorithm::Es256])
            .jwks(jwks(&[&signer]))
            .end_session_endpoint("https://id.example/end")
            .post_logout_redirect_uri("https://shop.example/signed-out");
        let builder = SignOutRoutes::builder(cache.clone()).client(client);
        Self {
            routes: settings(builder).build().unwrap(),
            store,
            cache,
            clock,
            signer,
        }
    }

    pub(crate) fn sign_out(&self) -> ActixSignOut {
        ActixSignOut::new(self.routes.clone())
    }

    pub(crate) async fn sign_in(&self, sid: &str) -> Session {
        self.clock.advance(Duration::from_secs(1));
        let ada = AccountId::new(ISSUER, "ada").unwrap();
        let started = self.cache.start_sign_in().unwrap();
        let sign_in = SignIn::new(ada, &started).sid(sid).unwrap();
        self.cache.sign_in(sign_in).await.unwrap()
    }

    pub(crate) async fn lives(&self, session: &Session) -> bool {
        match self.cache.resume(&session.ticket().unwrap()).await {
            Ok(_) => true,
            Err(error) => {
                assert!(error.is_signed_out(), "{error}");
                false
            }
        }
    }
}

pub(crate) fn cookie(session: &Session) -> (&'static str, String) {
    let ticket = session.ticket().unwrap().to_text();
    ("cookie", format!("{COOKIE}={ticket}"))
}

pub(crate) fn app(
    sign_out: &ActixSignOut,
    layer: SessionCheck,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .wrap(layer)
        .configure(sign_out.routes())
        .configure(pages)
}

/// Registers a public page, a page for signed-in users, and a page that starts a session.
pub(crate) fn pages(config: &mut web::ServiceConfig) {
    let anybody = |visitor: Result<SignedIn, SignedInRejection>| async move {
        match visitor {
            Ok(_) => HttpResponse::Ok().body("somebody"),
            Err(SignedInRejection::NotSignedIn) => HttpResponse::Ok().body("anybody"),
            Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
        }
    };
    let me = |_: SignedIn| async { HttpResponse::Ok().body("signed in") };
    let login = || async {
        let new = (SET_COOKIE, "__Host-shop=new; Path=/; Secure");
        HttpResponse::Ok().append_header(new).body("welcome")
    };
    config
        .route("/", web::get().to(anybody))
        .route("/me", web::get().to(me))
        .route("/login", web::get().to(login));
}
