use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use super::{
    api::{me, slow_refresh},
    events::events,
    near_cache::{cut_backplane, mend_backplane},
    page,
    server::Server,
    sign_in::{callback, login},
};

/// All that a server answers.
pub(crate) fn of(server: &Arc<Server>) -> Router {
    let for_siblings = Router::new()
        .route("/api/me", get(me))
        .route("/events", get(events))
        .route("/demo/slow-refresh", post(slow_refresh))
        .route("/demo/link/cut", post(cut_backplane))
        .route("/demo/link/mend", post(mend_backplane))
        .route("/healthz", get(page::health))
        .layer(from_fn_with_state(Arc::clone(server), among_siblings));
    let sign_out = server
        .sign_out
        .axum_routes()
        .layer(from_fn_with_state(Arc::clone(server), sign_out_by_siblings));
    Router::new()
        .route("/", get(page::index))
        .route("/style.css", get(page::style))
        .route("/copies.css", get(page::style_of_near_cache))
        .route("/app.js", get(page::script))
        .route("/copies.js", get(page::script_of_near_cache))
        .route("/icon.svg", get(page::icon))
        .route("/demo.json", get(page::about))
        .route("/login", get(login))
        .route("/callback", get(callback))
        .merge(for_siblings)
        .with_state(Arc::clone(server))
        .merge(sign_out)
        .layer(from_fn(guarded))
}

/// Headers that every answer has, where it has no stricter ones of its own.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    unless_set(headers, header::CACHE_CONTROL, "no-store");
    unless_set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // A form that is posted to another of the servers says where it comes from; no address says more.
    unless_set(headers, header::REFERRER_POLICY, "strict-origin");
    response
}

fn unless_set(headers: &mut HeaderMap, name: header::HeaderName, value: &'static str) {
    headers
        .entry(name)
        .or_insert(HeaderValue::from_static(value));
}

/// Allows requests between the servers' pages only. The servers are one app on several ports, which browsers treat as several origins, and
/// they share their cookies.
async fn among_siblings(
    State(server): State<Arc<Server>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = origin_of(request.headers());
    let is_sibling = origin
        .as_ref()
        .is_some_and(|origin| server.shared.origins.iter().any(|own| own == origin));
    if request.method() == Method::POST && origin.is_some() && !is_sibling {
        return StatusCode::FORBIDDEN.into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.filter(|_| is_sibling) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
    }
    response
}

/// A form on the page of another of these servers may sign out here, as if it were on a page of this one.
async fn sign_out_by_siblings(
    State(server): State<Arc<Server>>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_sibling = origin_of(request.headers())
        .is_some_and(|origin| server.shared.origins.iter().any(|own| *own == origin));
    if is_sibling
        && request.method() == Method::POST
        && let Ok(own) = HeaderValue::from_str(&server.origin)
    {
        let headers = request.headers_mut();
        headers.insert(header::ORIGIN, own);
        headers.remove("sec-fetch-site");
    }
    next.run(request).await
}

/// Returns the `Origin` header, which only a browser sets, or `None` unless there is exactly one.
fn origin_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut origins = headers.get_all(header::ORIGIN).into_iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) => Some(origin.clone()),
        _ => None,
    }
}
