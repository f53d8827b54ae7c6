use std::borrow::Cow;

use http::Uri;
use url::form_urlencoded;

/// The error for a parameter that appears more than once in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DuplicateParameter;

/// Returns the parameter `name` of a query, or `None` if it is absent. A duplicate is an error, because two readers
/// could use different values.
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
