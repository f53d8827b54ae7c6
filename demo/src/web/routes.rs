use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::Response,
    routing::{get, post},
};

use super::{
    callback::callback,
    events::events,
    login::login,
    me::me,
    near_cache::{cut_backplane, mend_backplane},
    page,
    server::Server,
    siblings::{among_siblings, sign_out_by_siblings},
    slow_refresh::slow_refresh,
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
