//! Two servers of an axum app that keeps its sessions with tower-sessions. The ticket is one value in them, and the
//! tokens are in the token cache. A sign-out on one server also signs the user out on the other.
//!
//! ```sh
//! cargo run -p token-cache-example-axum-tower-sessions            # serves until Ctrl-C
//! cargo run -p token-cache-example-axum-tower-sessions -- --check # runs requests by itself; fails unless a sign-out is final
//! ```
//!
//! **Development only:** a user signs in by typing a name. A real app redirects its users to an OpenID provider. It
//! creates the [`SignIn`] from the claims of the verified ID token (`SignIn::from_claims` of
//! `token_cache::providers::SessionClaims`, which has the `sid`).

mod tickets;

use std::{io::Write, net::Ipv4Addr};

use axum::{
    Form, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header::CACHE_CONTROL},
    middleware::map_response,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use serde::Deserialize;
use token_cache::{
    AccountId, EntryKey, ErrorKind, MemoryStore, Secret, SignIn, StartedSignIn, TokenCache,
    TokenSet,
    sign_out::{ClientRegistration, CookieFilter, SignOutRoutes, SignedIn},
};
use token_cache_example_browser::{Failure, a_sign_out_is_final_everywhere};
use tokio::net::TcpListener;
use tower_sessions::{MemoryStore as SessionStore, Session, SessionManagerLayer};

use tickets::InSession;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // In a real app, the servers share a Redis or DynamoDB behind `token_cache::open`, and a session store.
    let (store, secret, sessions) = (
        MemoryStore::new(),
        Secret::random()?,
        SessionStore::default(),
    );
    let serve = async || {
        let cache = TokenCache::open(store.clone(), secret.clone()).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = app(cache, sessions.clone())?;
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok::<_, Failure>(url)
    };
    let (here, there) = (serve().await?, serve().await?);
    if std::env::args().nth(1).as_deref() == Some("--check") {
        a_sign_out_is_final_everywhere(&here, &there).await?;
        writeln!(
            std::io::stdout(),
            "ok: with tower-sessions, the sign-out is final"
        )?;
    } else {
        writeln!(std::io::stdout(), "{here}/login and {there}/account")?;
        tokio::signal::ctrl_c().await?;
    }
    Ok(())
}

fn app(cache: TokenCache, sessions: SessionStore) -> Result<Router, Failure> {
    // In development there is no provider, so there are no keys and no logout endpoint. With a provider,
    // `ClientRegistration::new(issuer, client_id)` discovers both.
    let client = ClientRegistration::new("https://id.example", "shop").jwks(r#"{"keys":[]}"#);
    let sign_out = SignOutRoutes::builder(cache.clone())
        .client(client)
        .ticket_source(InSession)
        .after_sign_out("/login")
        .build()?;
    Ok(Router::new()
        .route("/login", get(form).post(sign_in))
        .route("/account", get(account))
        .with_state(cache)
        .merge(sign_out.axum_routes())
        .layer(sign_out.session_check())
        // Wrapped around the session check, which finds the ticket in the session. `Secure` is off only for plain HTTP
        // at loopback.
        .layer(SessionManagerLayer::new(sessions).with_secure(false))
        .layer(map_response(not_stored))
        // Around everything that reads cookies: tower-sessions starts an empty session if any cookie of the browser is
        // not ASCII.
        .layer(CookieFilter::new()))
}

/// Prevents caches, and the browser's back button, from showing a page that depends on the user.
async fn not_stored(mut page: Response) -> Response {
    let headers = page.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}

/// Shows the sign-in form. A real app redirects to its provider here, and stores the state of the sign-in in the
/// session.
async fn form(
    State(cache): State<TokenCache>,
    session: Session,
) -> Result<Html<&'static str>, Wrong> {
    session.insert("started", cache.start_sign_in()?).await?;
    Ok(Html(
        "<form method=post><label>Name <input name=name></label> <button>Sign in</button></form>",
    ))
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// Signs the user in. A real app handles the provider's callback here, and verifies the ID token.
async fn sign_in(
    State(cache): State<TokenCache>,
    session: Session,
    Form(Name { name }): Form<Name>,
) -> Result<Redirect, Wrong> {
    let Some(started) = session.remove::<StartedSignIn>("started").await? else {
        return Ok(Redirect::to("/login"));
    };
    let account = AccountId::custom("example", name.clone())?;
    let signed_in = cache.sign_in(SignIn::new(account, &started)).await?;
    signed_in
        .put(&api()?, TokenSet::new(format!("token of {name}"))?)
        .await?;
    signed_in
        .put(&EntryKey::new("name")?, name.as_bytes())
        .await?;
    tickets::keep(&session, &signed_in.ticket()?).await?;
    Ok(Redirect::to("/account"))
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

/// An error of the cache. The response is 401 if the session has ended meanwhile, otherwise 503.
struct Wrong(Failure);

impl<E: Into<Failure>> From<E> for Wrong {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        let error = self.0.downcast_ref::<token_cache::Error>();
        let kind = error.map(token_cache::Error::kind);
        if matches!(kind, Some(ErrorKind::SignedOut | ErrorKind::SignInRevoked)) {
            let page = "You are signed out, or signing in took too long. <a href=/login>Sign in again</a>.";
            (StatusCode::UNAUTHORIZED, Html(page)).into_response()
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, self.0.to_string()).into_response()
        }
    }
}
