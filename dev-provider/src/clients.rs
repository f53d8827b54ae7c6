use std::{collections::HashMap, fmt};

use axum::http::{HeaderMap, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use url::{Host, Url, form_urlencoded};

use crate::{
    crypto::is_same,
    error::{OAuthError, StartError},
    http::Parameters,
};

/// An app as it is registered at a development provider. All its URIs are at loopback addresses.
#[derive(Clone, Default)]
pub struct RegisteredClient {
    /// The `client_id`.
    pub id: String,
    /// The `client_secret`. Without one the client is public, and proves itself by PKCE alone.
    pub secret: Option<String>,
    /// The URIs that codes may be sent to, compared as text.
    pub redirect_uris: Vec<String>,
    /// The URIs that a browser may be sent to after a sign-out, compared as text.
    pub post_logout_redirect_uris: Vec<String>,
    /// The endpoint that receives a logout token at sign-out (Back-Channel Logout 1.0).
    pub backchannel_logout_uri: Option<String>,
    /// `true` if logout tokens have the `sid` in addition to the `sub`.
    pub backchannel_logout_session_required: bool,
    /// The URI that is loaded in an iframe at a sign-out (Front-Channel Logout 1.0).
    pub frontchannel_logout_uri: Option<String>,
    /// `true` if the iframe's URL has `iss` and `sid`.
    pub frontchannel_logout_session_required: bool,
}

impl RegisteredClient {
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let id = &self.id;
        if id.is_empty() || id.len() > 128 || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(StartError::new(format!(
                "{id:?} can't be a client_id: it takes 1 to 128 visible ASCII characters",
            )));
        }
        let uris = self.redirect_uris.iter();
        let uris = uris.chain(&self.post_logout_redirect_uris);
        let uris = uris.chain(&self.frontchannel_logout_uri);
        for uri in uris {
            loopback(uri)?;
        }
        if let Some(uri) = &self.backchannel_logout_uri
            && loopback(uri)?.scheme() != "http"
        {
            return Err(StartError::new(format!(
                "the development provider has no TLS to send logout tokens to {uri}: register an http URI",
            )));
        }
        Ok(())
    }
}

/// Prints no secret.
impl fmt::Debug for RegisteredClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredClient")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn loopback(uri: &str) -> Result<Url, StartError> {
    let refused = |why: &str| StartError::new(format!("{uri:?} can't be registered: {why}"));
    let url = Url::parse(uri).map_err(|error| refused(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("it is neither http nor https"));
    }
    if url.fragment().is_some() {
        return Err(refused("it has a fragment"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it holds a user name or a password"));
    }
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if !is_loopback {
        return Err(refused("it is not at a loopback address"));
    }
    Ok(url)
}

/// The clients, by their ids.
pub(crate) struct Clients(HashMap<String, RegisteredClient>);

impl Clients {
    pub(crate) fn new(clients: Vec<RegisteredClient>) -> Result<Self, StartError> {
        let mut by_id = HashMap::new();
        for client in clients {
            client.check()?;
            if let Some(twice) = by_id.insert(client.id.clone(), client) {
                return Err(StartError::new(format!(
                    "two clients are registered as {:?}",
                    twice.id
                )));
            }
        }
        Ok(Self(by_id))
    }

    pub(crate) fn client(&self, id: &str) -> Option<&RegisteredClient> {
        self.0.get(id)
    }
}

/// Returns the client that sends a request (RFC 6749 section 2.3): by HTTP Basic, by its secret in the form, or, where it has none, by its id.
pub(crate) fn authenticated<'a>(
    clients: &'a Clients,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<&'a RegisteredClient, OAuthError> {
    let (basic, posted) = (basic(headers)?, form.value("client_secret"));
    let (id, secret) = match (basic, posted) {
        (Some(_), Some(_)) => {
            return Err(OAuthError::request("the client authenticates in two ways"));
        }
        (Some((id, secret)), None) => {
            if form.value("client_id").is_some_and(|other| other != id) {
                return Err(OAuthError::request("two different client ids"));
            }
            (id, Some(secret))
        }
        (None, posted) => {
            let id = form.value("client_id").unwrap_or_default();
            (id.to_owned(), posted.map(str::to_owned))
        }
    };
    let client = clients.client(&id);
    let client = client.ok_or(OAuthError::client("the client is not registered here"))?;
    let is_authentic = match (&client.secret, &secret) {
        (Some(secret), Some(sent)) => is_same(secret, sent),
        // A public client may come by Basic with an empty password.
        (None, sent) => sent.as_deref().unwrap_or_default().is_empty(),
        (Some(_), None) => false,
    };
    if is_authentic {
        Ok(client)
    } else {
        Err(OAuthError::client(
            "the client's secret is wrong or missing",
        ))
    }
}

/// Both parts are form-encoded before they are put together.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let parsed = || {
        let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
        let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some((form_decoded(id), form_decoded(secret)))
    };
    match parsed() {
        Some(pair) => Ok(Some(pair)),
        None => Err(OAuthError::client("Authorization is not HTTP Basic")),
    }
}

fn form_decoded(text: &str) -> String {
    // Without `=` and `&` it is one name.
    let text = text.replace('=', "%3D").replace('&', "%26");
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    pairs
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(change: impl FnOnce(&mut RegisteredClient)) -> Result<(), String> {
        let mut client = RegisteredClient {
            id: "shop".to_owned(),
            redirect_uris: vec!["http://localhost:3000/callback".to_owned()],
            ..RegisteredClient::default()
        };
        change(&mut client);
        client.check().map_err(|failure| failure.to_string())
    }

    #[test]
    fn only_loopback_addresses_are_registered() {
        assert_eq!(client(|_| {}), Ok(()));
        for uri in [
            "https://shop.example/callback",
            "http://127.0.0.1.example/",
            "http://10.0.0.1/",
            "javascript:alert(1)",
            "http://localhost/#there",
            "http://shop@localhost/",
            "/callback",
        ] {
            let refusal = client(|client| client.redirect_uris.push(uri.to_owned())).unwrap_err();
            assert!(refusal.contains(uri), "{refusal}");
        }
        for uri in [
            "http://127.0.0.2/",
            "http://[::1]:9/",
            "https://a.localhost/",
        ] {
            assert_eq!(
                client(|client| client.post_logout_redirect_uris.push(uri.to_owned())),
                Ok(())
            );
        }
        assert!(
            client(|client| {
                client.backchannel_logout_uri = Some("https://localhost/logout".to_owned());
            })
            .is_err()
        );
        assert!(client(|client| client.id = "the shop".to_owned()).is_err());
    }

    #[test]
    fn a_secret_is_not_printed() {
        let client = RegisteredClient {
            secret: Some("hunter2".to_owned()),
            ..RegisteredClient::default()
        };
        assert!(!format!("{client:?}").contains("hunter2"));
    }
}
