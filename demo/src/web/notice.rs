use std::fmt::Write;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// A page that says one thing, and offers ways on: labels, and paths of this server.
pub(crate) fn notice(
    status: StatusCode,
    title: &str,
    text: &str,
    ways_on: &[(&str, &str)],
) -> Response {
    let mut links = String::new();
    for (label, path) in ways_on {
        let (label, path) = (escaped(label), escaped(path));
        // Writing to a string can't fail.
        let _ = write!(links, "<a class=\"button\" href=\"{path}\">{label}</a>");
    }
    let title = escaped(title);
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<link rel=\"icon\" href=\"/icon.svg\">\n\
         <link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n\
         <body class=\"notice\">\n<main>\n<h1>{title}</h1>\n<p>{}</p>\n<p class=\"actions\">{links}</p>\n</main>\n</body>\n</html>\n",
        escaped(text),
    );
    let mut response = (status, Html(page)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    );
    response
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_wrote_stays_text() {
        assert_eq!(
            escaped("<script>\"it's\" & more"),
            "&lt;script&gt;&quot;it&#39;s&quot; &amp; more"
        );
    }
}
