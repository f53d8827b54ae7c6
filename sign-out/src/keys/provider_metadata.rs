use std::fmt;

use serde_json::{Map, Value};
use token_cache_core::telemetry::warn;
use url::Url;

use crate::{
    config::parse_https_url,
    http::FetchError,
    jwt::{Algorithm, AlgorithmName, strip_bom},
};

/// The members of a provider's discovery document that a sign-out needs (OpenID Connect Discovery 1.0 section 3). An
/// invalid member does not affect the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderMetadata {
    pub(crate) jwks_uri: Result<Url, FetchError>,
    /// The logout endpoint. It is `None` if it is absent or invalid; users are then signed out only in this app.
    pub(crate) end_session_endpoint: Option<Url>,
    /// The algorithms of ID tokens, and therefore of logout tokens (`id_token_signing_alg_values_supported`). The list
    /// is empty if it cannot be read, because it is only used for a log event.
    algorithms: Vec<String>,
}

/// Returns the URL of the issuer's discovery document (section 4.1).
pub(super) fn discovery_url(issuer: &str) -> Result<Url, FetchError> {
    let path = ".well-known/openid-configuration";
    let issuer = issuer.trim_end_matches('/');
    parse_https_url("the discovery document", &format!("{issuer}/{path}"))
        .map_err(|_| FetchError::new("the issuer is not an allowed URL"))
}

impl ProviderMetadata {
    /// Parses the document. Its `issuer` must equal `issuer` byte by byte (section 4.3), because a document at another
    /// place could name its own keys.
    pub(super) fn parse(issuer: &str, json: &[u8]) -> Result<Self, FetchError> {
        let document: Map<String, Value> =
            serde_json::from_slice(strip_bom(json)).map_err(|_| {
                FetchError::new("the provider's discovery document is not a JSON object")
            })?;
        if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err(FetchError::new(
                "the discovery document names another issuer; configure the issuer exactly as the document does",
            ));
        }
        let end_session_endpoint = match document.get("end_session_endpoint") {
            None | Some(Value::Null) => None,
            Some(value) => endpoint(issuer, value)
                .inspect_err(|why| warn_of_member(issuer, "end_session_endpoint", why))
                .ok(),
        };
        let jwks_uri = endpoint(issuer, document.get("jwks_uri").unwrap_or(&Value::Null));
        Ok(Self {
            jwks_uri: jwks_uri.map_err(|why| {
                FetchError::new(format!("the discovery document's `jwks_uri` {why}"))
            }),
            end_session_endpoint,
            algorithms: algorithms(&document),
        })
    }

    /// Returns `true` if the provider signs ID tokens, and only with algorithms that are not `accepted`. All its
    /// messages are then rejected.
    pub(super) fn signs_with_none_of(&self, accepted: &[Algorithm]) -> bool {
        let is_accepted =
            |name: &String| Algorithm::named(name).is_some_and(|it| accepted.contains(&it));
        !self.algorithms.is_empty() && !self.algorithms.iter().any(is_accepted)
    }

    /// Logs that every message of the provider will be rejected.
    pub(super) fn warn_of_algorithms(&self, issuer: &str, accepted: &[Algorithm]) {
        let names = self.algorithms.iter().map(|it| AlgorithmName::of(it));
        warn(
            "provider_algorithm_not_accepted",
            format_args!(
                "the provider {issuer:?} signs ID tokens and logout messages with {}, and the sign-out routes accept {}: users can \
                 sign in, and the provider's messages are refused. Remove `ClientRegistration::algorithms`, or register the \
                 client with an accepted `id_token_signed_response_alg`",
                listed(names),
                listed(accepted.iter()),
            ),
        );
    }
}

fn algorithms(document: &Map<String, Value>) -> Vec<String> {
    let listed = document.get("id_token_signing_alg_values_supported");
    let listed = listed.and_then(Value::as_array).into_iter().flatten();
    let names = listed.filter_map(Value::as_str);
    names.map(str::to_owned).collect()
}

fn listed(names: impl Iterator<Item = impl fmt::Display>) -> String {
    let names: Vec<_> = names.map(|name| name.to_string()).collect();
    names.join(" or ")
}

/// Parses an endpoint of the document. A provider on `https` cannot have an endpoint on plain HTTP.
fn endpoint(issuer: &str, value: &Value) -> Result<Url, &'static str> {
    let url = value.as_str().ok_or("is not a string")?;
    match parse_https_url("the endpoint", url) {
        Ok(url) if url.scheme() == "https" || issuer.starts_with("http:") => Ok(url),
        _ => Err("is not an https URL"),
    }
}

fn warn_of_member(issuer: &str, member: &str, why: &str) {
    warn(
        "provider_metadata_skipped",
        format_args!(
            "the discovery document of the provider {issuer:?} is used without its `{member}`, which {why}. Users are signed out \
             of this app and not at the provider; set `ClientRegistration::end_session_endpoint` if the provider has one"
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_signs_with_nothing_accepted_is_found_out() {
        let issuer = "https://id.example";
        let refused = |listed: &str, accepted: &[Algorithm]| {
            let json = format!(
                r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/keys","id_token_signing_alg_values_supported":{listed}}}"#
            );
            let found = ProviderMetadata::parse(issuer, json.as_bytes()).unwrap();
            assert!(found.jwks_uri.is_ok());
            found.signs_with_none_of(accepted)
        };
        for listed in [r#"["ES512"]"#, r#"["HS256","none"]"#] {
            assert!(refused(listed, &Algorithm::ALL), "{listed}");
        }
        assert!(refused(r#"["ES256"]"#, &[Algorithm::Rs256]));
        for listed in [
            r#"["RS256","HS256"]"#,
            r#"["Ed25519",7]"#,
            "[]",
            "null",
            "7",
        ] {
            assert!(!refused(listed, &Algorithm::ALL), "{listed}");
        }
    }

    fn parse(issuer: &str, named: &str, jwks: &str) -> Result<ProviderMetadata, FetchError> {
        let json = format!(r#"{{"issuer":"{named}","jwks_uri":"{jwks}","x":1}}"#);
        ProviderMetadata::parse(issuer, json.as_bytes())
    }

    #[test]
    fn the_address_is_below_the_issuer() {
        for issuer in ["https://id.example/a", "https://id.example/a/"] {
            assert_eq!(
                discovery_url(issuer).unwrap().as_str(),
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
            assert!(uri(issuer, keys).is_err(), "{keys}");
        }
        let issuer = "http://127.0.0.1:9000";
        assert!(uri(issuer, "http://127.0.0.1:9000/keys").is_ok());
        assert!(uri(issuer, "http://10.0.0.1/keys").is_err());
    }

    fn uri(issuer: &str, keys: &str) -> Result<Url, FetchError> {
        parse(issuer, issuer, keys).unwrap().jwks_uri
    }

    #[test]
    fn a_bad_member_spoils_no_other() {
        let issuer = "https://id.example";
        let parse = |members: &str| {
            let json = format!("\u{feff}{{\"issuer\":\"{issuer}\",{members}}}");
            ProviderMetadata::parse(issuer, json.as_bytes()).unwrap()
        };
        let keys = r#""jwks_uri":"https://id.example/keys""#;
        for end in [
            r#""""#,
            "null",
            "7",
            "[]",
            "{}",
            r#""/end""#,
            r#""http://id.example/end""#,
        ] {
            let found = parse(&format!(r#"{keys},"end_session_endpoint":{end}"#));
            assert!(
                found.jwks_uri.is_ok() && found.end_session_endpoint.is_none(),
                "{end}"
            );
        }
        let end = r#""end_session_endpoint":"https://id.example/end""#;
        for keys in [
            r#""jwks_uri":"""#,
            r#""jwks_uri":null"#,
            r#""jwks_uri":7"#,
            r#""x":1"#,
        ] {
            let found = parse(&format!("{keys},{end}"));
            assert!(
                found.jwks_uri.is_err() && found.end_session_endpoint.is_some(),
                "{keys}"
            );
        }
        let found = parse(&format!(r#"{keys},{end},"scopes_supported":"","x":null"#));
        assert!(found.jwks_uri.is_ok() && found.end_session_endpoint.is_some());
    }
}
