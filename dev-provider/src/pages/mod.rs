pub(super) mod confirm;
mod error;
pub(super) mod home;
mod html;
pub(super) mod sign_in;
pub(super) mod signed_out;

use axum::{http::StatusCode, response::Response};

pub(super) use self::error::PageError;
use super::answer;

/// `GET /style.css`.
pub(super) async fn style() -> Response {
    let style = include_str!("style.css");
    answer::with_type(StatusCode::OK, "text/css; charset=utf-8", style)
}

/// `GET /signed-out.js`.
pub(super) async fn script() -> Response {
    let script = include_str!("signed-out.js");
    answer::with_type(StatusCode::OK, "text/javascript; charset=utf-8", script)
}
