use axum::{http::StatusCode, response::Response};

use super::html::{Page, escaped};
use crate::authorization_request::AuthorizationRequest;

/// Asks for a name, and for nothing else.
pub(in super::super) fn page(interaction: &str, request: &AuthorizationRequest) -> Response {
    let (interaction, client) = (escaped(interaction), escaped(&request.client));
    let hint = escaped(request.login_hint.as_deref().unwrap_or_default());
    let main = format!(
        "<p>to go on to <strong>{client}</strong></p>\n\
         <form method=\"post\" action=\"/sign-in\">\n\
         <input type=\"hidden\" name=\"interaction\" value=\"{interaction}\">\n\
         <label for=\"name\">Your name</label>\n\
         <input id=\"name\" name=\"name\" type=\"text\" value=\"{hint}\" required maxlength=\"64\" autofocus \
         autocomplete=\"off\" spellcheck=\"false\" aria-describedby=\"plainly\">\n\
         <button type=\"submit\">Sign in</button>\n\
         </form>\n\
         <p id=\"plainly\" class=\"note\">This is for development: any name will do, and there is no password.</p>",
    );
    let mut page = Page::new("Sign in", main);
    page.leads_to = Some(request.leads_to());
    page.answer(StatusCode::OK)
}
