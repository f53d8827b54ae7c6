//! The few pages that a browser may see: plain HTML, which no other page may frame and in which nothing runs or loads.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::response::no_store_response;

/// No `form-action`: Chromium holds a form to it through every redirect that follows, and the form of [`confirmation_page`](crate::rp_initiated) leads to the provider.
const POLICY: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// What a page says.
pub(crate) struct Page<'a> {
    pub(crate) status: StatusCode,
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
    /// A form that POSTs, by a button with this text.
    pub(crate) button: Option<&'a str>,
    /// Where the form POSTs to, if not to where the page was asked for.
    pub(crate) action: Option<&'a str>,
    /// Where to go on: within the app, or at the provider.
    pub(crate) link: Option<(&'a str, &'a str)>,
}

impl<'a> Page<'a> {
    pub(crate) fn new(status: StatusCode, title: &'a str, text: &'a str) -> Self {
        Self {
            status,
            title,
            text,
            button: None,
            action: None,
            link: None,
        }
    }

    pub(crate) fn to_response(&self) -> Response<Bytes> {
        let mut response = html(self.status, &self.html(), HeaderValue::from_static(POLICY));
        let headers = response.headers_mut();
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        // Not `no-referrer`: the form's `Origin` would be `null`.
        headers.insert(
            header::REFERRER_POLICY,
            HeaderValue::from_static("same-origin"),
        );
        response
    }

    fn html(&self) -> String {
        let title = escaped(self.title);
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title}</title>\n<h1>{title}</h1>\n<p>{}</p>\n",
            escaped(self.text)
        );
        if let Some(button) = self.button {
            html.push_str("<form method=\"post\"");
            if let Some(action) = self.action {
                html.push_str(" action=\"");
                html.push_str(&escaped(action));
                html.push('"');
            }
            html.push_str("><button>");
            html.push_str(&escaped(button));
            html.push_str("</button></form>\n");
        }
        if let Some((to, text)) = self.link {
            html.push_str("<p><a href=\"");
            html.push_str(&escaped(to));
            html.push_str("\">");
            html.push_str(&escaped(text));
            html.push_str("</a></p>\n");
        }
        html
    }
}

/// An answer of HTML that no cache keeps.
pub(crate) fn html(status: StatusCode, html: &str, policy: HeaderValue) -> Response<Bytes> {
    let mut response = no_store_response(status, Bytes::copy_from_slice(html.as_bytes()));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_said_becomes_markup() {
        let page = Page {
            status: StatusCode::OK,
            title: "<b>",
            text: "a & b",
            button: Some("\"now\""),
            action: Some("\"><b>"),
            link: Some(("/?a='&b", "<on>")),
        };
        let html = page.html();
        for raw in ["<b>", "a & b", "\"now\"", "'", "<on>"] {
            assert!(!html.contains(raw), "{raw} in {html}");
        }
    }
}
