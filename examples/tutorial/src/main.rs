//! The complete app of `docs/sign-out/tutorial.md`.
//!
//! ```sh
//! ISSUER=https://id.example CLIENT_ID=shop CLIENT_SECRET=… PUBLIC_URL=http://localhost:3000 STORE=redis://127.0.0.1/ \
//!     TOKEN_CACHE_SECRET=… cargo run -p token-cache-example-tutorial
//! ```

use std::{env, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Query, State},
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, SET_COOKIE},
        request::Parts,
    },
    middleware::map_response,
    response::{AppendHeaders, Html, IntoResponse, Redirect, Response},
    routing::get,
};
use openidconnect::{
    AuthenticationFlow, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IssuerUrl, Nonce, PkceCodeChallenge, RedirectUrl, Scope,
    core::{CoreAuthPrompt, CoreClient, CoreResponseType},
};
use serde::Deserialize;
use token_cache::{
    EntryKey, ErrorKind, ExposeSecret, Session, SignIn, TokenCache, TokenSet,
    providers::{
        CodeExchange, Provider, ProviderBuilder, ProviderMetadataWithRevocation, SessionClaims,
    },
    refresh::{Revocation, TokenSource},
    sign_out::{
        ClaimRequirement, ClientRegistration, SignOutRoutes, SignedIn, StateCookies, TicketCookie,
        id_token_key,
    },
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

type Oidc = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

struct App {
    cache: TokenCache,
    cookie: TicketCookie,
    signing_in: StateCookies,
    oidc: Oidc,
    /// `true` if the provider supports the scope `offline_access`.
    offline_access: bool,
    provider: Provider,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (issuer, public_url) = (env::var("ISSUER")?, env::var("PUBLIC_URL")?);
    let (client_id, client_secret) = (env::var("CLIENT_ID")?, env::var("CLIENT_SECRET")?);

    // The client that signs users in.
    let http = if issuer.starts_with("https:") {
        reqwest::Client::builder().https_only(true)
    } else {
        // A provider on this machine. A proxy of `HTTP_PROXY` would receive codes and secrets in plain text.
        reqwest::Client::builder().no_proxy()
    };
    let http = http.redirect(reqwest::redirect::Policy::none()).build()?;
    let metadata =
        ProviderMetadataWithRevocation::discover_async(IssuerUrl::new(issuer.clone())?, &http)
            .await?;
    let id = ClientId::new(client_id.clone());
    let mut provider =
        ProviderBuilder::from_metadata(&metadata, &id)?.client_secret(&client_secret);
    if metadata.additional_metadata().revocation_endpoint.is_some() {
        provider = provider.revocation_of(&metadata, Revocation::Token)?;
    }
    let offline_access = metadata
        .scopes_supported()
        .is_some_and(|scopes| scopes.contains(&Scope::new(OFFLINE_ACCESS.to_owned())));
    let secret = ClientSecret::new(client_secret);
    let oidc = CoreClient::from_provider_metadata(metadata, id, Some(secret))
        .set_redirect_uri(RedirectUrl::new(format!("{public_url}/callback"))?);

    // The cache of the users' tokens.
    let cache = token_cache::open(&env::var("STORE")?).await?;
    let cookie = TicketCookie::for_url(&public_url, "shop")?.max_age(LIFETIME);

    // The routes that sign users out.
    let client = ClientRegistration::new(&issuer, &client_id)
        .sid_claim(ClaimRequirement::Required)
        .post_logout_redirect_uri(format!("{public_url}/signed-out"));
    let sign_out = SignOutRoutes::builder(cache.clone())
        .client(client)
        .ticket_source(cookie.clone())
        .build()?;
    sign_out.fetch_keys().await?;

    let app = App {
        cache,
        cookie,
        signing_in: StateCookies::for_url(&public_url, "signing-in")?,
        oidc,
        offline_access,
        provider: provider.build()?,
    };
    let routes = Router::new()
        .route("/", get(home))
        .route("/login", get(login))
        .route("/callback", get(callback))
        .route("/account", get(account))
        .with_state(Arc::new(app))
        .merge(sign_out.axum_routes())
        .layer(sign_out.session_check().redirect_to("/login")?)
        .layer(map_response(not_stored));

    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, routes).await?;
    Ok(())
}

/// Prevents caches, and the browser's back button, from showing a page that depends on the user.
async fn not_stored(mut page: Response) -> Response {
    let headers = page.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}

async fn home(visitor: Option<SignedIn>) -> Html<&'static str> {
    Html(match visitor {
        Some(_) => {
            "<a href=/account>Account</a> <form method=post action=/logout><button>Sign out</button></form>"
        }
        None => "<a href=/login>Sign in</a>",
    })
}

#[derive(Deserialize)]
struct Asked {
    prompt: Option<String>,
}

/// Redirects the browser to the provider. With `?prompt=login` the user must authenticate again.
async fn login(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    request: Parts,
) -> Result<Response, Wrong> {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let mut authorize = app
        .oidc
        .authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        // Requests `auth_time`, the time at which the user authenticated.
        .set_max_age(MAX_AGE)
        .set_pkce_challenge(challenge);
    if asked.prompt.as_deref() == Some("login") {
        authorize = authorize.add_prompt(CoreAuthPrompt::Login);
    }
    if app.offline_access {
        // A refresh token that outlives the session at the provider needs the user's consent each time.
        authorize = authorize
            .add_scope(Scope::new(OFFLINE_ACCESS.to_owned()))
            .add_prompt(CoreAuthPrompt::Consent);
    }
    let (url, state, nonce) = authorize.url();

    let started = app.cache.start_sign_in_with_max_age(MAX_AGE)?.to_text();
    let (state, nonce, verifier) = (state.secret(), nonce.secret(), verifier.secret());
    let signing_in = format!("{nonce}.{verifier}.{started}");
    let cookies = app.signing_in.set(&request, state, &signing_in)?;
    let cookies = cookies.into_iter().map(|cookie| (SET_COOKIE, cookie));
    Ok((AppendHeaders(cookies), Redirect::to(url.as_str())).into_response())
}

/// Handles the return from the provider, and starts a session.
async fn callback(
    State(app): State<Arc<App>>,
    request: Parts,
    Query(answer): Query<Answer>,
) -> Result<Response, Wrong> {
    let signing_in = app.signing_in.read(&request, &answer.state)?;
    let parts: Vec<_> = signing_in.unwrap_or_default().split('.').collect();
    let [nonce, verifier, started] = parts[..] else {
        return Err("this sign-in began elsewhere".into());
    };

    // The time on the store's clock, which is the same for every server.
    let sent_at = app.cache.now()?;
    let redirect_uri = app.oidc.redirect_uri().ok_or("no redirect URI is set")?;
    let code = CodeExchange::new(answer.code, redirect_uri.as_str()).pkce_verifier(verifier);
    let tokens = app.provider.exchange_code(code, sent_at).await?;
    let begun = begin(&app, &tokens, nonce, started).await;
    if let (Err(_), Some(refresh_token), Revocation::Token) =
        (&begun, tokens.refresh_token(), app.provider.revocation())
    {
        // No session has it. A token that cannot be revoked is good at the provider until it expires.
        let _ = app.provider.revoke(refresh_token.clone()).await;
    }
    let session = begun?;

    let ticket = (SET_COOKIE, app.cookie.set(&session.ticket()?));
    let done = app.signing_in.removal(&answer.state);
    let cookies = done.into_iter().map(|cookie| (SET_COOKIE, cookie));
    let cookies = AppendHeaders(cookies.chain([ticket]));
    Ok((cookies, Redirect::to("/account")).into_response())
}

/// Verifies the ID token, and starts a session with the tokens.
async fn begin(
    app: &App,
    tokens: &TokenSet,
    nonce: &str,
    started: &str,
) -> Result<Session, Failure> {
    let id_token = tokens.id_token().ok_or("the provider gave no ID token")?;
    let (id_token, nonce) = (id_token.expose_secret(), Nonce::new(nonce.to_owned()));
    let claims = SessionClaims::verify(id_token, &app.oidc.id_token_verifier(), &nonce)?;

    let sign_in = SignIn::from_claims(&claims, &started.parse()?)?.lifetime(LIFETIME);
    let session = app.cache.sign_in(sign_in).await?;
    session.put(&api()?, tokens).await?;
    session.put(&id_token_key()?, id_token.as_bytes()).await?;
    Ok(session)
}

async fn account(State(app): State<Arc<App>>, session: SignedIn) -> Result<String, Wrong> {
    let tokens = session
        .get_or_refresh(&api()?, app.provider.clone())
        .await?;
    Ok(format!("signed in, with a token for {:?}", tokens.scopes()))
}

const LIFETIME: Duration = Duration::from_secs(8 * 3600);

/// The maximum time since the user authenticated at the provider.
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3600);

const OFFLINE_ACCESS: &str = "offline_access";

fn api() -> token_cache::Result<EntryKey> {
    EntryKey::resource("https://api.example")
}

#[derive(Deserialize)]
struct Answer {
    code: String,
    state: String,
}

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
            // Without `prompt=login`, the provider would repeat the refused authentication.
            let page = "You are not signed in: your account was signed out in the meantime, you signed in at the provider too \
                        long ago, or it took you too long. <a href='/login?prompt=login'>Sign in again</a>, and enter your \
                        password there.";
            (StatusCode::UNAUTHORIZED, Html(page)).into_response()
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "please try again").into_response()
        }
    }
}

#[cfg(test)]
mod tests;
