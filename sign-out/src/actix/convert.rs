//! Conversions between the `http` crate and the older version of it that actix-web uses.

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, error::PayloadError, web::Payload,
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{HeaderName, HeaderValue, Method, Request, Response, request::Parts};
use http_body::{Body, Frame};
use http_body_util::StreamBody;

use crate::tickets::OriginalCookies;

/// Returns the method, the URL and the headers of an actix-web request in the types of the crate `http`. Returns `None`
/// if one of them is invalid in that crate. The app should then respond with 400.
///
/// Use it to call [`StateCookies`](crate::StateCookies) and [`read_cookie`](crate::read_cookie), which take [`Parts`].
/// The extensions of the request are not copied, with one exception: the original `Cookie` headers, if a
/// [`CookieFilter`](super::CookieFilter) stored them there. So `read_cookie` finds every cookie.
pub fn parts(request: &HttpRequest) -> Option<Parts> {
    let mut converted = Request::builder()
        .method(Method::from_bytes(request.method().as_str().as_bytes()).ok()?)
        .uri(request.uri().to_string());
    for (name, value) in request.headers() {
        converted = converted.header(
            HeaderName::from_bytes(name.as_str().as_bytes()).ok()?,
            HeaderValue::from_bytes(value.as_bytes()).ok()?,
        );
    }
    let mut parts = converted.body(()).ok()?.into_parts().0;
    if let Some(original) = request.extensions().get::<OriginalCookies>() {
        parts.extensions.insert(original.clone());
    }
    Some(parts)
}

/// Returns the body of an actix-web request as a stream of frames.
pub(super) fn body(body: Payload) -> impl Body<Data = Bytes, Error = PayloadError> {
    StreamBody::new(body.map_ok(Frame::data))
}

pub(super) fn to_actix_response(response: Response<Bytes>) -> HttpResponse {
    let (parts, body) = response.into_parts();
    let mut converted = builder(parts.status);
    for (name, value) in &parts.headers {
        converted.append_header((name.as_str(), value.as_bytes()));
    }
    converted.body(body)
}

fn builder(status: http::StatusCode) -> HttpResponseBuilder {
    use actix_web::http::StatusCode;
    let status = StatusCode::from_u16(status.as_u16());
    HttpResponseBuilder::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}
