use axum::{http::StatusCode, response::Response};
use url::Url;

use super::html::{Page, escaped};

/// Asks whether to sign out.
pub(in super::super) fn page(interaction: &str, name: &str, next: Option<&Url>) -> Response {
    let (interaction, name) = (escaped(interaction), escaped(name));
    let main = format!(
        "<p>You are signed in as <strong>{name}</strong>. Signing out ends this in every app that you signed in to in \
         this browser.</p>\n\
         <form method=\"post\" action=\"/end_session/confirmed\">\n\
         <input type=\"hidden\" name=\"interaction\" value=\"{interaction}\">\n\
         <button type=\"submit\">Sign out</button>\n\
         </form>\n\
         <p><a href=\"/\">Stay signed in</a></p>",
    );
    let mut page = Page::new("Sign out?", main);
    page.leads_to = next;
    page.answer(StatusCode::OK)
}
