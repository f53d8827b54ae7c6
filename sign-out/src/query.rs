use std::borrow::Cow;

use http::Uri;
use url::form_urlencoded;

/// A parameter that a query has more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DuplicateParameter;

/// The parameter `name` of a query, where it is there. One that is there twice means nothing: two readers could take two values.
pub(crate) fn parameter<'a>(
    uri: &'a Uri,
    name: &str,
) -> Result<Option<Cow<'a, str>>, DuplicateParameter> {
    let query = uri.query().unwrap_or_default();
    let mut values = form_urlencoded::parse(query.as_bytes())
        .filter(|(key, _)| key == name)
        .map(|(_, value)| value);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(DuplicateParameter),
    }
}
