use axum::{http::StatusCode, response::Response};

use super::html::{Page, escaped};

/// Says who is signed in, with a button to sign out.
pub(in super::super) fn page(name: Option<&str>) -> Response {
    let page = match name {
        Some(name) => {
            let name = escaped(name);
            let main = format!(
                "<p>You are signed in as <strong>{name}</strong>, and so in every app that you signed in to in this \
                 browser.</p>\n\
                 <form method=\"post\" action=\"/sign-out\"><button type=\"submit\">Sign out</button></form>",
            );
            Page::new("Signed in", main)
        }
        None => Page::new(
            "No user is signed in",
            "<p>Sign in from an app: it sends you here.</p>".to_owned(),
        ),
    };
    page.answer(StatusCode::OK)
}
