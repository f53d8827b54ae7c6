use std::fmt::Write;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use url::Url;

use crate::{
    error::OAuthError,
    http::{self, TooLarge},
};

/// A page of the provider, and what it may do.
struct Page<'a> {
    title: &'a str,
    /// Markup. What comes from outside went through [`escaped`].
    main: String,
    /// The target of its forms besides the provider itself. Browsers check redirects as well.
    leads_to: Option<&'a Url>,
    /// The URLs that it may load in frames.
    frames: Vec<&'a Url>,
    has_script: bool,
}

impl<'a> Page<'a> {
    fn new(title: &'a str, main: String) -> Self {
        Self {
            title,
            main,
            leads_to: None,
            frames: Vec::new(),
            has_script: false,
        }
    }

    fn answer(&self, status: StatusCode) -> Response {
        let title = escaped(self.title);
        let main = &self.main;
        let script = if self.has_script {
            "<script src=\"/signed-out.js\" defer></script>\n"
        } else {
            ""
        };
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title} – development provider</title>\n\
             <link rel=\"stylesheet\" href=\"/style.css\">\n{script}</head>\n<body>\n<main>\n\
             <p class=\"whose\">Development provider</p>\n<h1>{title}</h1>\n{main}\n</main>\n</body>\n</html>\n",
        );
        let mut response = http::with_type(status, "text/html; charset=utf-8", html);
        // Origins are ASCII.
        if let Ok(policy) = HeaderValue::from_str(&self.policy()) {
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }

    fn policy(&self) -> String {
        let mut policy = "default-src 'none'; style-src 'self'; base-uri 'none'; \
                          frame-ancestors 'none'; form-action 'self'"
            .to_owned();
        if let Some(url) = self.leads_to {
            policy.push(' ');
            policy.push_str(&origin(url));
        }
        if self.has_script {
            policy.push_str("; script-src 'self'");
        }
        if !self.frames.is_empty() {
            policy.push_str("; frame-src");
            for frame in &self.frames {
                policy.push(' ');
                policy.push_str(&origin(frame));
            }
        }
        policy
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Text as it may stand in markup, between tags and in quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(char),
        }
    }
    escaped
}

/// An error page.
#[derive(Debug)]
pub(crate) struct PageError {
    status: StatusCode,
    title: &'static str,
    text: &'static str,
}

impl PageError {
    /// An app sent the browser with a request that is not in order.
    pub(crate) const fn request(text: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            title: "This request is not in order",
            text,
        }
    }

    pub(crate) const fn too_late() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            title: "This form was sent before, or is too old",
            text: "Go back to the app, and begin again there.",
        }
    }

    pub(crate) const fn foreign_form() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            title: "This form came from another site",
            text: "Nothing was done.",
        }
    }

    pub(crate) const fn nothing_here() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            title: "Nothing is here",
            text: "There is no such page.",
        }
    }
}

impl From<TooLarge> for PageError {
    fn from(_: TooLarge) -> Self {
        Self::request("It is too large.")
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

/// Says who is signed in, with a button to sign out.
pub(crate) fn home(name: Option<&str>) -> Response {
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

/// Asks for a name, and for nothing else.
pub(crate) fn sign_in(interaction: &str, client: &str, hint: Option<&str>, next: &Url) -> Response {
    let (interaction, client) = (escaped(interaction), escaped(client));
    let hint = escaped(hint.unwrap_or_default());
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
    page.leads_to = Some(next);
    page.answer(StatusCode::OK)
}

/// Asks whether to sign out.
pub(crate) fn confirm(interaction: &str, name: &str, next: Option<&Url>) -> Response {
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

/// The URL that a browser loads in an iframe to notify an app (Front-Channel Logout 1.0 section 2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Frame {
    pub(crate) client: String,
    pub(crate) address: Url,
}

/// Loads the frames that notify the apps, and then continues at `next`.
pub(crate) fn signed_out(frames: &[Frame], next: Option<&Url>) -> Response {
    let mut main = "<p role=\"status\">You are signed out.</p>\n".to_owned();
    for frame in frames {
        let (client, address) = (escaped(&frame.client), escaped(frame.address.as_str()));
        // A string takes whatever is written to it.
        let _ = writeln!(
            main,
            "<iframe class=\"unseen\" title=\"Signs out of {client}\" src=\"{address}\" aria-hidden=\"true\" tabindex=\"-1\"></iframe>",
        );
    }
    if let Some(next) = next {
        let next = escaped(next.as_str());
        let _ = writeln!(main, "<p><a id=\"next\" href=\"{next}\">Go on</a></p>");
    }
    let mut page = Page::new("Signed out", main);
    page.frames = frames.iter().map(|frame| &frame.address).collect();
    page.has_script = next.is_some();
    page.answer(StatusCode::OK)
}

/// `GET /style.css`.
pub(crate) async fn style() -> Response {
    let style = include_str!("pages/style.css");
    http::with_type(StatusCode::OK, "text/css; charset=utf-8", style)
}

/// `GET /signed-out.js`.
pub(crate) async fn script() -> Response {
    let script = include_str!("pages/signed-out.js");
    http::with_type(StatusCode::OK, "text/javascript; charset=utf-8", script)
}
