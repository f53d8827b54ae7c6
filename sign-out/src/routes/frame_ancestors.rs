use http::HeaderValue;
use url::Url;

use crate::{client::ClientRegistration, config::ConfigError};

/// Returns the `Content-Security-Policy` of a page that only these clients' providers may frame. Allowed are the
/// origins of the issuers and of the logout pages.
pub(crate) fn policy(clients: &[ClientRegistration]) -> Result<HeaderValue, ConfigError> {
    let mut origins: Vec<String> = clients
        .iter()
        .flat_map(|client| [Some(&client.issuer), client.end_session_endpoint.as_ref()])
        .flatten()
        .filter_map(|url| Url::parse(url).ok())
        .map(|url| url.origin().ascii_serialization())
        .collect();
    origins.sort_unstable();
    origins.dedup();
    let policy = format!(
        "default-src 'none'; base-uri 'none'; frame-ancestors {}",
        origins.join(" ")
    );
    HeaderValue::try_from(policy)
        .map_err(|_| {
        ConfigError::new(format!(
            "the origins of the issuers are invalid in an HTTP header: {origins:?}; use ASCII host names"
        ))
    })
}
