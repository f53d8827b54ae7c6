//! Two servers of an axum app without a session store. It keeps only signed cookies, and the ticket is one of them. The
//! tokens are in the token cache. A sign-out on one server also signs the user out on the other.
//!
//! ```sh
//! cargo run -p token-cache-example-axum-signed-cookies            # serves until Ctrl-C
//! cargo run -p token-cache-example-axum-signed-cookies -- --check # runs requests by itself; fails unless a sign-out is final
//! ```
//!
//! **Development only:** a user signs in by typing a name. A real app redirects its users to an OpenID provider. It
//! creates the [`SignIn`] from the claims of the verified ID token (`SignIn::from_claims` of
//! `token_cache::providers::SessionClaims`, which has the `sid`).

mod tickets;

use std::{io::Write, net::Ipv4Addr};

use axum::{
    Form, Router,
    extract::{FromRef, State},
    http::{HeaderValue, StatusCode, header::CACHE_CONTROL},
    middleware::map_response,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use axum_extra::extract::cookie::{Key, SignedCookieJar};
use serde::Deserialize;
use token_cache::{
    AccountId, EntryKey, ErrorKind, MemoryStore, Secret, SignIn, TokenCache, TokenSet,
    sign_out::{ClientRegistration, CookieFilter, SignOutRoutes, SignedIn},
};
use token_cache_example_browser::{Failure, a_sign_out_is_final_everywhere};
use tokio::net::TcpListener;

use tickets::InSignedCookie;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // In a real app, the servers share a Redis or DynamoDB behind `token_cache::open`, and the signing key.
    let (store, secret, key) = (MemoryStore::new(), Secret::random()?, Key::generate());
    let serve = async || {
        let cache = TokenCache::open(store.clone(), secret.clone()).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = app(cache, key.clone())?;
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok::<_, Failure>(url)
    };
    let (here, there) = (serve().await?, serve().await?);
    if std::env::args().nth(1).as_deref() == Some("--check") {
        a_sign_out_is_final_everywhere(&here, &there).await?;
        writeln!(
            std::io::stdout(),
            "ok: with signed cookies, the sign-out is final"
        )?;
    } else {
        writeln!(std::io::stdout(), "{here}/login and {there}/account")?;
        tokio::signal::ctrl_c().await?;
    }
    Ok(())
}

fn app(cache: TokenCache, key: Key) -> Result<Router, Failure> {
    // In development there is no provider, so there are no keys and no logout endpoint. With a provider,
    // `ClientRegistration::new(issuer, client_id)` discovers both.
    let client = ClientRegistration::new("https://id.example", "shop").jwks(r#"{"keys":[]}"#);
    let sign_out = SignOutRoutes::builder(cache.clone())
        .client(client)
        .ticket_source(InSignedCookie(key.clone()))
        .after_sign_out("/login")
        .build()?;
    Ok(Router::new()
        .route("/login", get(form).post(sign_in))
        .route("/account", get(account))
        .with_state(App { cache, key })
        .merge(sign_out.axum_routes())
        .layer(sign_out.session_check())
        .layer(map_response(not_stored))
        // Outermost: the jars of axum-extra drop all cookies if one of them is not ASCII.
        .layer(CookieFilter::new()))
}

/// Prevents caches, and the browser's back button, from showing a page that depends on the user.
async fn not_stored(mut page: Response) -> Response {
    let headers = page.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}

#[derive(Clone)]
struct App {
    cache: TokenCache,
    key: Key,
}

impl FromRef<App> for Key {
    fn from_ref(app: &App) -> Self {
        app.key.clone()
    }
}

/// Shows the sign-in form. A real app redirects to its provider here, and stores the state of the sign-in in a cookie.
async fn form(State(app): State<App>, jar: SignedCookieJar) -> Result<impl IntoResponse, Wrong> {
    let started = tickets::lax("started", app.cache.start_sign_in()?.to_text());
    let form =
        "<form method=post><label>Name <input name=name></label> <button>Sign in</button></form>";
    Ok((jar.add(started), Html(form)))
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// Signs the user in. A real app handles the provider's callback here, and verifies the ID token.
async fn sign_in(
    State(app): State<App>,
    jar: SignedCookieJar,
    Form(Name { name }): Form<Name>,
) -> Result<(SignedCookieJar, Redirect), Wrong> {
    let Some(started) = jar.get("started") else {
        return Ok((jar, Redirect::to("/login")));
    };
    let account = AccountId::custom("example", name.clone())?;
    let sign_in = SignIn::new(account, &started.value().parse()?);
    let signed_in = app.cache.sign_in(sign_in).await?;
    signed_in
        .put(&api()?, TokenSet::new(format!("token of {name}"))?)
        .await?;
    signed_in
        .put(&EntryKey::new("name")?, name.as_bytes())
        .await?;
    let jar = jar.remove(tickets::lax("started", String::new()));
    Ok((
        jar.add(tickets::cookie(&signed_in.ticket()?)),
        Redirect::to("/account"),
    ))
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
