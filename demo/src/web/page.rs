use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use serde_json::json;

use super::server::Server;

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// `GET /`: the page. It holds no script and no style of its own, and asks only these servers for more.
pub(crate) async fn index(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    // By another name of the loopback address, cookies and requests to the other servers would go nowhere.
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    if server.cookies.are_plain() && host.is_some_and(|host| !server.origin.ends_with(host)) {
        return Redirect::temporary(&format!("{}/", server.origin)).into_response();
    }
    let servers = server.shared.origins.join(" ");
    let provider = server.shared.provider.origins.join(" ");
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src {servers}; \
         form-action {servers} {provider}; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut response = with_type("text/html; charset=utf-8", include_str!("page/index.html"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

pub(crate) async fn style() -> Response {
    with_type("text/css; charset=utf-8", include_str!("page/style.css"))
}

pub(crate) async fn style_of_near_cache() -> Response {
    with_type(
        "text/css; charset=utf-8",
        include_str!("page/near_cache.css"),
    )
}

pub(crate) async fn script() -> Response {
    with_type(SCRIPT, include_str!("page/app.js"))
}

pub(crate) async fn script_of_near_cache() -> Response {
    with_type(SCRIPT, include_str!("page/near_cache.js"))
}

pub(crate) async fn icon() -> Response {
    with_type("image/svg+xml", include_str!("page/icon.svg"))
}

/// `GET /demo.json`: what the page is about.
pub(crate) async fn about(State(server): State<Arc<Server>>) -> Response {
    let shared = &server.shared;
    let servers: Vec<_> = (b'A'..)
        .zip(&shared.origins)
        .map(|(letter, origin)| json!({"name": char::from(letter).to_string(), "origin": origin}))
        .collect();
    Json(json!({
        "here": server.name,
        "servers": servers,
        "store": shared.store,
        "provider": {
            "issuer": shared.provider.issuer,
            "for_development": shared.provider.is_for_development,
            "sign_out": shared.provider.sign_out,
        },
    }))
    .into_response()
}

/// `GET /healthz`: this server answers.
pub(crate) async fn health(State(server): State<Arc<Server>>) -> Response {
    Json(json!({"status": "ok", "server": server.name})).into_response()
}

fn with_type(of: &'static str, body: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 1] =
        [(header::CONTENT_TYPE, HeaderValue::from_static(of))];
    (headers, body).into_response()
}
