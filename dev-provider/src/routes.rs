use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};

use super::{
    answer, authorize, discovery, end_session,
    pages::{self, PageError},
    revoke,
    shared::Shared,
    sign_in, sso_cookie, token, userinfo,
};

/// No request has more to say.
const LONGEST_BODY: usize = 16 * 1024;

pub(super) fn routes(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(home))
        .route(
            "/.well-known/openid-configuration",
            get(discovery::document),
        )
        .route("/jwks", get(discovery::keys))
        .route(
            "/authorize",
            get(authorize::by_query).post(authorize::by_form),
        )
        .route("/sign-in", post(sign_in::submitted))
        .route("/token", post(token::asked))
        .route("/userinfo", get(userinfo::asked).post(userinfo::asked))
        .route("/revoke", post(revoke::asked))
        .route(
            "/end_session",
            get(end_session::by_query).post(end_session::by_form),
        )
        .route("/end_session/confirmed", post(end_session::confirmed))
        .route("/sign-out", post(end_session::button))
        .route("/style.css", get(pages::style))
        .route("/signed-out.js", get(pages::script))
        .fallback(async || PageError::nothing_here())
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(shared), guard))
        .with_state(Arc::clone(shared))
}

/// `GET /`: shows the user who is signed in at the provider in this browser.
async fn home(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let cookie = sso_cookie::read(&shared, &headers).unwrap_or_default();
    let name = shared.sessions().of(&cookie).map(|own| own.name.clone());
    pages::home::page(name.as_deref())
}

/// Answers only requests for the provider's own host name, so that another name that points at this machine does not work (DNS rebinding).
/// Browsers and proxies store no answer.
async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    let is_own_name = host.is_some_and(|host| {
        Some(host.as_bytes()) == shared.issuer.strip_prefix("http://").map(str::as_bytes)
    });
    let mut response = if !is_own_name {
        answer::empty(StatusCode::MISDIRECTED_REQUEST)
    } else if request.method() == Method::HEAD {
        // The router would answer it by a GET, which may sign somebody out.
        answer::empty(StatusCode::METHOD_NOT_ALLOWED)
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`, under which a browser calls the origin of the provider's own forms `null`.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
