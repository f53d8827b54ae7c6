use http::{HeaderMap, header};

/// Returns `true` if the body has the media type `expected`, with any parameters (RFC 9110 section 8.3).
pub(crate) fn is_media_type(headers: &HeaderMap, expected: &str) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(value) = value.to_str() else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(expected)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn parameters_and_case_do_not_matter_and_two_types_are_none() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_TYPE, HeaderValue::from_static(value));
            }
            is_media_type(&headers, "application/secevent+jwt")
        };
        assert!(of(&["application/secevent+jwt"]));
        assert!(of(&["Application/SecEvent+JWT; charset=utf-8"]));
        assert!(!of(&["application/secevent+jwtx"]));
        assert!(!of(&["application/json"]));
        assert!(!of(&[]));
        assert!(!of(&["application/secevent+jwt", "text/plain"]));
    }
}
