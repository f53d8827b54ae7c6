use axum::http::{HeaderMap, header};

/// Returns `true` if a form was sent by a page of the provider, or by a client that is no browser.
///
/// A browser names the origin of a form it sends, and, at a loopback address, how it relates to the target. The apps' origins
/// differ from the provider's by their port, so a page of theirs can't sign anybody out or in.
pub(super) fn is_same_origin(headers: &HeaderMap, issuer: &str) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    match (text("sec-fetch-site"), text(header::ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin == issuer,
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_form_on_another_origin_is_not_ours() {
        let issuer = "http://127.0.0.1:4000";
        let accepts = |site: Option<&'static str>, origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            is_same_origin(&headers, issuer)
        };
        assert!(accepts(None, None));
        assert!(accepts(Some("same-origin"), Some(issuer)));
        assert!(accepts(Some("none"), None));
        assert!(accepts(None, Some(issuer)));
        assert!(!accepts(Some("same-site"), Some("http://127.0.0.1:4001")));
        assert!(!accepts(Some("cross-site"), None));
        assert!(!accepts(None, Some("http://127.0.0.1:4001")));
        assert!(!accepts(None, Some("null")));
    }
}
