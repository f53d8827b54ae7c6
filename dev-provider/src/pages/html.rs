use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use url::Url;

use super::super::answer;

/// A page of the provider, and what it may do.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    /// Markup. What comes from outside went through [`escaped`].
    pub(super) main: String,
    /// The target of its forms besides the provider itself. Browsers check redirects as well.
    pub(super) leads_to: Option<&'a Url>,
    /// The URLs that it may load in frames.
    pub(super) frames: Vec<&'a Url>,
    pub(super) has_script: bool,
}

impl<'a> Page<'a> {
    pub(super) fn new(title: &'a str, main: String) -> Self {
        Self {
            title,
            main,
            leads_to: None,
            frames: Vec::new(),
            has_script: false,
        }
    }

    pub(super) fn answer(&self, status: StatusCode) -> Response {
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
        let mut response = answer::with_type(status, "text/html; charset=utf-8", html);
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
pub(super) fn escaped(text: &str) -> String {
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
