use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::html::{Page, escaped};
use crate::oauth_error::OAuthError;

/// An error page.
#[derive(Debug)]
pub(in super::super) struct PageError {
    status: StatusCode,
    title: &'static str,
    text: &'static str,
}

impl PageError {
    /// An app sent the browser with a request that is not in order.
    pub(in super::super) const fn request(text: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            title: "This request is not in order",
            text,
        }
    }

    pub(in super::super) const fn too_late() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            title: "This form was sent before, or is too old",
            text: "Go back to the app, and begin again there.",
        }
    }

    pub(in super::super) const fn foreign_form() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            title: "This form came from another site",
            text: "Nothing was done.",
        }
    }

    pub(in super::super) const fn nothing_here() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            title: "Nothing is here",
            text: "There is no such page.",
        }
    }
}

impl From<OAuthError> for PageError {
    fn from(error: OAuthError) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            title: "Something went wrong",
            text: error.description,
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let main = format!("<p>{}</p>", escaped(self.text));
        Page::new(self.title, main).answer(self.status)
    }
}
