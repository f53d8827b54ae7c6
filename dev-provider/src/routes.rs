use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use serde_json::json;

use crate::{
    authorize, end_session, http,
    pages::{self, PageError},
    state::Shared,
    token,
};

/// No request has more to say.
const LONGEST_BODY: usize = 16 * 1024;

pub(crate) fn routes(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(keys))
        .route(
            "/authorize",
            get(authorize::by_query).post(authorize::by_form),
        )
        .route("/sign-in", post(authorize::submitted))
        .route("/userinfo", get(token::userinfo).post(token::userinfo))
        .route(
            "/end_session",
            get(end_session::by_query).post(end_session::by_form),
        )
        .route("/end_session/confirmed", post(end_session::confirmed))
        .route("/sign-out", post(end_session::button))
        .merge(
            Router::new()
                .route("/token", post(token::token))
                .route("/revoke", post(token::revoke))
                .layer(middleware::from_fn_with_state(Arc::clone(shared), scripted)),
        )
        .route("/style.css", get(pages::style))
        .route("/signed-out.js", get(pages::script))
        .fallback(async || PageError::nothing_here())
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(shared), guard))
        .with_state(Arc::clone(shared))
}

/// `GET /`: shows the user who is signed in at the provider in this browser.
async fn home(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let cookie = shared.sso_cookie.read(&headers).unwrap_or_default();
    let name = shared.sessions().of(&cookie).map(|own| own.name.clone());
    pages::home(name.as_deref())
}

/// The endpoints at which a test can make requests fail.
async fn scripted(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    shared.faults.meet(request, next, LONGEST_BODY).await
}

/// Answers only requests for the provider's own host name, so that another name that points at this machine does not work (DNS rebinding).
/// Browsers and proxies store no answer.
async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    let is_own_name = host.is_some_and(|host| {
        Some(host.as_bytes()) == shared.issuer.strip_prefix("http://").map(str::as_bytes)
    });
    let mut response = if !is_own_name {
        http::empty(StatusCode::MISDIRECTED_REQUEST)
    } else if request.method() == Method::HEAD {
        // The router would answer it by a GET, which may sign somebody out.
        http::empty(StatusCode::METHOD_NOT_ALLOWED)
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

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0).
async fn discovery(State(shared): State<Arc<Shared>>) -> Response {
    let issuer = &shared.issuer;
    let at = |path: &str| format!("{issuer}{path}");
    let authentication = ["client_secret_basic", "client_secret_post", "none"];
    http::json(
        StatusCode::OK,
        &json!({
            "issuer": issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"),
            "jwks_uri": at("/jwks"),
            "revocation_endpoint": at("/revoke"),
            "end_session_endpoint": at("/end_session"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [
                "authorization_code", "refresh_token", "client_credentials",
                "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer",
            ],
            "scopes_supported": ["openid", "profile", "offline_access"],
            "claims_supported": [
                "iss", "sub", "aud", "iat", "exp", "auth_time", "sid", "nonce", "at_hash", "name", "preferred_username",
            ],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": authentication,
            "revocation_endpoint_auth_methods_supported": authentication,
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none", "login", "select_account"],
            "authorization_response_iss_parameter_supported": true,
            "claims_parameter_supported": false,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
            "backchannel_logout_supported": true,
            "backchannel_logout_session_supported": true,
            "frontchannel_logout_supported": true,
            "frontchannel_logout_session_supported": true,
        }),
    )
}

/// `GET /jwks`.
async fn keys(State(shared): State<Arc<Shared>>) -> Response {
    http::json(StatusCode::OK, &shared.key.jwks())
}
