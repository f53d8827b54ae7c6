//! HTML pages for the user. Other pages cannot frame them, and they load and run nothing.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use super::response::no_store_response;

/// There is no `form-action`: Chromium also applies it to redirects after the form, and the form of the confirmation
/// page leads to the provider.
const POLICY: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The content of a page.
pub(crate) struct Page<'a> {
    pub(crate) status: StatusCode,
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
    /// The text of the button of a form that sends a POST request.
    pub(crate) button: Option<&'a str>,
    /// The URL of the form, if it differs from the page's URL.
    pub(crate) action: Option<&'a str>,
    /// The URL and the text of a link, within the app or to the provider.
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
        // With `no-referrer`, the form's `Origin` would be `null`.
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

/// Returns an HTML response that caches do not store.
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
