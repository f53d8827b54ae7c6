use serde::Deserialize;
use url::Url;

use super::FetchError;
use crate::client::url;

/// What a provider's discovery document says (OpenID Connect Discovery 1.0 section 3), as far as a sign-out needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Discovered {
    pub(crate) jwks_uri: Url,
    pub(crate) end_session_endpoint: Option<Url>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
    end_session_endpoint: Option<String>,
}

/// Where an issuer's document is (section 4.1).
pub(super) fn address(issuer: &str) -> Result<Url, FetchError> {
    let path = ".well-known/openid-configuration";
    let issuer = issuer.trim_end_matches('/');
    url("the discovery document", &format!("{issuer}/{path}"))
        .map_err(|_| FetchError::new("the issuer is no address that may be asked"))
}

impl Discovered {
    /// The document, if it is this issuer's: the name must be the same to the letter (section 4.3), or a document that was
    /// put elsewhere could name its own keys.
    pub(super) fn parse(issuer: &str, json: &[u8]) -> Result<Self, FetchError> {
        let document: Document = serde_json::from_slice(json)
            .map_err(|_| FetchError::new("the provider's discovery document is none"))?;
        if document.issuer != issuer {
            return Err(FetchError::new(
                "the discovery document names another issuer; give the issuer exactly as it stands there",
            ));
        }
        Ok(Self {
            jwks_uri: endpoint(issuer, "jwks_uri", &document.jwks_uri)?,
            end_session_endpoint: document
                .end_session_endpoint
                .map(|address| endpoint(issuer, "end_session_endpoint", &address))
                .transpose()?,
        })
    }
}

/// An address that a provider names. One on https leads to no plain http, wherever that would be.
fn endpoint(issuer: &str, what: &str, address: &str) -> Result<Url, FetchError> {
    match url(what, address) {
        Ok(url) if url.scheme() == "https" || issuer.starts_with("http:") => Ok(url),
        _ => Err(FetchError::new(format!(
            "the discovery document's `{what}` is no https address"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(issuer: &str, named: &str, jwks: &str) -> Result<Discovered, FetchError> {
        let json = format!(r#"{{"issuer":"{named}","jwks_uri":"{jwks}","x":1}}"#);
        Discovered::parse(issuer, json.as_bytes())
    }

    #[test]
    fn the_address_is_below_the_issuer() {
        for issuer in ["https://id.example/a", "https://id.example/a/"] {
            assert_eq!(
                address(issuer).unwrap().as_str(),
                "https://id.example/a/.well-known/openid-configuration"
            );
        }
    }

    #[test]
    fn another_issuer_s_document_is_refused_down_to_the_last_slash() {
        let keys = "https://id.example/keys";
        assert!(parse("https://id.example", "https://id.example", keys).is_ok());
        assert!(parse("https://id.example", "https://id.example/", keys).is_err());
        assert!(parse("https://id.example", "https://evil.example", keys).is_err());
    }

    #[test]
    fn keys_come_over_https_or_from_a_provider_that_is_all_loopback() {
        let issuer = "https://id.example";
        for keys in [
            "http://id.example/keys",
            "http://127.0.0.1/keys",
            "file:///keys",
            "keys",
        ] {
            assert!(parse(issuer, issuer, keys).is_err(), "{keys}");
        }
        let issuer = "http://127.0.0.1:9000";
        assert!(parse(issuer, issuer, "http://127.0.0.1:9000/keys").is_ok());
        assert!(parse(issuer, issuer, "http://10.0.0.1/keys").is_err());
    }
}
