use std::{collections::HashMap, fmt};

use axum::http::{HeaderMap, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use url::{Host, Url, form_urlencoded};

use crate::{
    crypto::is_same,
    error::{OAuthError, ProviderError},
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
    pub(crate) fn check(&self) -> Result<(), ProviderError> {
        let id = &self.id;
        if !is_client_id(id) {
            return Err(ProviderError::new(format!(
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
            return Err(ProviderError::new(format!(
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

fn loopback(uri: &str) -> Result<Url, ProviderError> {
    let refused = |why: &str| ProviderError::new(format!("{uri:?} can't be registered: {why}"));
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

/// The clients: those of the registration list, and any other app on this machine if that is permitted.
pub(crate) struct Clients {
    registered: HashMap<String, RegisteredClient>,
    loopback_apps: bool,
}

/// A client that the provider serves.
#[derive(Clone, Copy)]
pub(crate) enum Client<'a> {
    Registered(&'a RegisteredClient),
    /// An app that is not registered, by its id.
    LoopbackApp(&'a str),
}

impl Clients {
    pub(crate) fn new(
        clients: impl IntoIterator<Item = RegisteredClient>,
        loopback_apps: bool,
    ) -> Result<Self, ProviderError> {
        let mut registered = HashMap::new();
        for client in clients {
            client.check()?;
            if let Some(twice) = registered.insert(client.id.clone(), client) {
                return Err(ProviderError::new(format!(
                    "two clients are registered as {:?}",
                    twice.id
                )));
            }
        }
        Ok(Self {
            registered,
            loopback_apps,
        })
    }

    pub(crate) fn client<'a>(&'a self, id: &'a str) -> Option<Client<'a>> {
        let registered = self.registered(id).map(Client::Registered);
        let other = || {
            let is_served = self.loopback_apps && is_client_id(id);
            is_served.then_some(Client::LoopbackApp(id))
        };
        registered.or_else(other)
    }

    pub(crate) fn registered(&self, id: &str) -> Option<&RegisteredClient> {
        self.registered.get(id)
    }

    /// Returns the id of the client that sends a request (RFC 6749 section 2.3). It authenticates by HTTP Basic, by its secret in the
    /// form, or, if it has none, by its id.
    pub(crate) fn authenticated(
        &self,
        headers: &HeaderMap,
        form: &Parameters,
    ) -> Result<String, OAuthError> {
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
        let client = self.client(&id);
        let client = client.ok_or(OAuthError::client("the client is not registered here"))?;
        if client.is_authentic(secret.as_deref()) {
            Ok(id)
        } else {
            Err(OAuthError::client(
                "the client's secret is wrong or missing",
            ))
        }
    }
}

impl Client<'_> {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Registered(client) => &client.id,
            Self::LoopbackApp(id) => id,
        }
    }

    /// Returns `true` if a code may be sent to this URI.
    pub(crate) fn redirects_to(&self, uri: &str) -> bool {
        match self {
            Self::Registered(client) => client.redirect_uris.iter().any(|one| one == uri),
            Self::LoopbackApp(_) => is_of_loopback_app(uri),
        }
    }

    /// Returns `true` if a browser may be sent to this URI after a sign-out.
    pub(crate) fn signs_out_to(&self, uri: &str) -> bool {
        match self {
            Self::Registered(client) => {
                let mut uris = client.post_logout_redirect_uris.iter();
                uris.any(|one| one == uri)
            }
            Self::LoopbackApp(_) => is_of_loopback_app(uri),
        }
    }

    pub(crate) const fn is_loopback_app(&self) -> bool {
        matches!(self, Self::LoopbackApp(_))
    }

    /// Returns `true` if the client must use PKCE. Many a tutorial's app does without.
    pub(crate) const fn needs_pkce(&self) -> bool {
        !self.is_loopback_app()
    }

    fn is_authentic(&self, sent: Option<&str>) -> bool {
        match self {
            Self::LoopbackApp(_) => true,
            Self::Registered(client) => match (&client.secret, sent) {
                (Some(secret), Some(sent)) => is_same(secret, sent),
                // A public client may come by Basic with an empty password.
                (None, sent) => sent.unwrap_or_default().is_empty(),
                (Some(_), None) => false,
            },
        }
    }
}

fn is_client_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Returns `true` for the URIs of an app that is not registered: plain http at `localhost`, `127.0.0.1` or `[::1]`, on any port.
fn is_of_loopback_app(uri: &str) -> bool {
    loopback(uri).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default();
        url.scheme() == "http" && matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    })
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

    #[test]
    fn an_app_that_is_not_registered_is_served_at_a_loopback_address_alone() {
        let shop = RegisteredClient {
            id: "shop".to_owned(),
            redirect_uris: vec!["http://localhost:3000/callback".to_owned()],
            ..RegisteredClient::default()
        };
        let clients = Clients::new([shop.clone()], true).unwrap();
        let app = clients.client("tutorial").unwrap();
        for uri in [
            "http://localhost:3000/callback",
            "http://127.0.0.1:8080/",
            "http://[::1]:9/x?y=z",
            "http://localhost/",
        ] {
            assert!(app.redirects_to(uri) && app.signs_out_to(uri), "{uri}");
        }
        for uri in [
            "",
            "https://localhost:3000/callback",
            "http://127.0.0.2:3000/",
            "http://localhost.example/",
            "http://127.0.0.1.example/",
            "http://localhost@evil.example/",
            "http://user@localhost/",
            "http://localhost/#there",
            "javascript:alert(1)",
        ] {
            assert!(!app.redirects_to(uri) && !app.signs_out_to(uri), "{uri}");
        }
        assert!(app.is_authentic(None) && app.is_authentic(Some("any")));
        assert!(!app.needs_pkce());
        // What is registered is exact.
        let registered = clients.client("shop").unwrap();
        assert!(!registered.redirects_to("http://localhost:3001/callback"));
        assert!(registered.needs_pkce());
        for id in ["", "the app", &"x".repeat(129)] {
            assert!(clients.client(id).is_none());
        }
        let closed = Clients::new([shop], false).unwrap();
        assert!(closed.client("tutorial").is_none() && closed.client("shop").is_some());
    }
}
