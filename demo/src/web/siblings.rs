use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::server::Server;

/// Allows requests between the servers' pages only. The servers are one app on several ports, which browsers treat as several origins, and
/// they share their cookies.
pub(crate) async fn among_siblings(
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
pub(crate) async fn sign_out_by_siblings(
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
