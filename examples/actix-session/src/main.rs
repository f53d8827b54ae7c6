//! Two servers of an actix-web app that keeps its sessions with actix-session. The ticket is one value in them, and the
//! tokens are in the token cache. A sign-out on one server also signs the user out on the other.
//!
//! ```sh
//! cargo run -p token-cache-example-actix-session            # serves until Ctrl-C
//! cargo run -p token-cache-example-actix-session -- --check # runs requests by itself; fails unless a sign-out is final
//! ```
//!
//! **Development only:** a user signs in by typing a name. A real app redirects its users to an OpenID provider. It
//! creates the [`SignIn`] from the claims of the verified ID token (`SignIn::from_claims` of
//! `token_cache::providers::SessionClaims`, which has the `sid`).

mod tickets;

use std::{
    fmt,
    io::Write,
    net::{Ipv4Addr, TcpListener},
};

use actix_session::{Session, SessionMiddleware, storage::CookieSessionStore};
use actix_web::{
    App, HttpResponse, HttpServer, ResponseError,
    cookie::Key,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, LOCATION},
    },
    middleware::DefaultHeaders,
    rt, web,
};
use serde::Deserialize;
use token_cache::{
    AccountId, EntryKey, ErrorKind, MemoryStore, Secret, SignIn, StartedSignIn, TokenCache,
    TokenSet,
    sign_out::{
        ClientRegistration, ExtensionTicketSource, SignOutRoutes, SignedIn,
        actix::{ActixSignOut, CookieFilter},
    },
};
use token_cache_example_browser::{Failure, a_sign_out_is_final_everywhere};

use tickets::InSession;

#[actix_web::main]
async fn main() -> Result<(), Failure> {
    // In a real app, the servers share a Redis or DynamoDB behind `token_cache::open`, and the key of the session
    // cookies.
    let (store, secret, key) = (MemoryStore::new(), Secret::random()?, Key::generate());
    let serve = async || {
        let cache = TokenCache::open(store.clone(), secret.clone()).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let url = format!("http://{}", listener.local_addr()?);
        let (sign_out, key) = (sign_out(&cache)?, key.clone());
        let app = move || {
            let sessions = SessionMiddleware::builder(CookieSessionStore::default(), key.clone());
            App::new()
                .app_data(web::Data::new(cache.clone()))
                .configure(sign_out.routes())
                .configure(pages)
                .wrap(sign_out.session_check())
                // Wrapped around the session check, which finds the ticket in the session. `Secure` is off only for
                // plain HTTP at loopback.
                .wrap(sessions.cookie_secure(false).build())
                // Caches must not store a page that depends on the user.
                .wrap(DefaultHeaders::new().add((CACHE_CONTROL, "no-store")))
                // Outermost: actix-session starts an empty session if any cookie of the browser is not UTF-8.
                .wrap(CookieFilter::new())
        };
        let server = HttpServer::new(app).workers(1).disable_signals();
        rt::spawn(server.listen(listener)?.run());
        Ok::<_, Failure>(url)
    };
    let (here, there) = (serve().await?, serve().await?);
    if std::env::args().nth(1).as_deref() == Some("--check") {
        a_sign_out_is_final_everywhere(&here, &there).await?;
        writeln!(
            std::io::stdout(),
            "ok: with actix-session, the sign-out is final"
        )?;
    } else {
        writeln!(std::io::stdout(), "{here}/login and {there}/account")?;
        tokio::signal::ctrl_c().await?;
    }
    Ok(())
}

fn sign_out(cache: &TokenCache) -> Result<ActixSignOut, Failure> {
    // In development there is no provider, so there are no keys and no logout endpoint. With a provider,
    // `ClientRegistration::new(issuer, client_id)` discovers both.
    let client = ClientRegistration::new("https://id.example", "shop").jwks(r#"{"keys":[]}"#);
    let routes = SignOutRoutes::builder(cache.clone())
        .client(client)
        .ticket_source(ExtensionTicketSource::new())
        .after_sign_out("/login")
        .build()?;
    Ok(ActixSignOut::new(routes).ticket_source(InSession))
}

fn pages(config: &mut web::ServiceConfig) {
    config
        .route("/login", web::get().to(form))
        .route("/login", web::post().to(sign_in))
        .route("/account", web::get().to(account));
}

/// Shows the sign-in form. A real app redirects to its provider here, and stores the state of the sign-in in the
/// session.
async fn form(cache: web::Data<TokenCache>, session: Session) -> Result<HttpResponse, Wrong> {
    session.insert("started", cache.start_sign_in()?)?;
    let form =
        "<form method=post><label>Name <input name=name></label> <button>Sign in</button></form>";
    Ok(HttpResponse::Ok().content_type("text/html").body(form))
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// Signs the user in. A real app handles the provider's callback here, and verifies the ID token.
async fn sign_in(
    cache: web::Data<TokenCache>,
    session: Session,
    web::Form(Name { name }): web::Form<Name>,
) -> Result<HttpResponse, Wrong> {
    let Some(started) = session.get::<StartedSignIn>("started")? else {
        return Ok(see_other("/login"));
    };
    session.remove("started");
    let account = AccountId::custom("example", name.clone())?;
    let signed_in = cache.sign_in(SignIn::new(account, &started)).await?;
    signed_in
        .put(&api()?, TokenSet::new(format!("token of {name}"))?)
        .await?;
    signed_in
        .put(&EntryKey::new("name")?, name.as_bytes())
        .await?;
    tickets::keep(&session, &signed_in.ticket()?)?;
    Ok(see_other("/account"))
}

async fn account(session: SignedIn) -> Result<String, Wrong> {
    let name = session.get(&EntryKey::new("name")?).await?;
    let name = name.ok_or("the session has no name")?;
    let has_token = session.get(&api()?).await?.is_some();
    Ok(format!(
        "{} is signed in, token: {has_token}",
        String::from_utf8_lossy(name.bytes()?)
    ))
}

fn api() -> token_cache::Result<EntryKey> {
    EntryKey::resource("https://api.example")
}

fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, path))
        .finish()
}

/// An error of the cache. The response is 401 if the session has ended meanwhile, otherwise 503.
#[derive(Debug)]
struct Wrong(Failure);

impl<E: Into<Failure>> From<E> for Wrong {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Wrong {
    fn status_code(&self) -> StatusCode {
        let error = self.0.downcast_ref::<token_cache::Error>();
        let kind = error.map(token_cache::Error::kind);
        if matches!(kind, Some(ErrorKind::SignedOut | ErrorKind::SignInRevoked)) {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
