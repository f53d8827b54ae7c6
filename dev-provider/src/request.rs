use url::Url;

use crate::{
    clients::{Client, Clients},
    crypto::is_well_formed,
    error::OAuthError,
    http::Parameters,
    pages::PageError,
    sessions::Session,
};

/// Of `state`, which an app may fill with what it needs later.
const LONGEST_STATE: usize = 4096;
const LONGEST_NONCE: usize = 512;
const LONGEST_SCOPE: usize = 1024;

/// A valid authorization request (OpenID Connect Core 1.0 section 3.1.2.1).
#[derive(Clone)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client: String,
    pub(crate) redirect_uri: String,
    pub(crate) scope: String,
    /// The code challenge of PKCE. Only an app that is not registered may leave it out.
    pub(crate) challenge: Option<String>,
    /// The origin of an app that is not registered.
    pub(crate) loopback_app: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) login_hint: Option<String>,
    /// `prompt=none`: without showing anything.
    pub(crate) is_silent: bool,
    wants_sign_in: bool,
    max_age: Option<u64>,
    way_back: WayBack,
}

/// The destination of the answer.
#[derive(Clone)]
pub(crate) struct WayBack {
    redirect_uri: Url,
    state: Option<String>,
    issuer: String,
}

/// Why a request is not in order, and who is told.
pub(crate) enum Refused {
    /// The user, because the client is unknown.
    Page(PageError),
    /// The app.
    Redirect(Url),
}

impl AuthorizationRequest {
    pub(crate) fn parse(
        parameters: &Parameters,
        clients: &Clients,
        issuer: &str,
    ) -> Result<Self, Refused> {
        let (client, redirect_uri) = who_asks(parameters, clients).map_err(Refused::Page)?;
        let way_back = WayBack {
            redirect_uri: Url::parse(&redirect_uri)
                .map_err(|_| Refused::Page(PageError::request("Its redirect_uri is no URI.")))?,
            state: parameters.value("state").map(str::to_owned),
            issuer: issuer.to_owned(),
        };
        let told = way_back.clone();
        Self::of_client(parameters, client, redirect_uri, way_back)
            .map_err(|error| Refused::Redirect(told.refusal(&error)))
    }

    fn of_client(
        parameters: &Parameters,
        client: Client<'_>,
        redirect_uri: String,
        way_back: WayBack,
    ) -> Result<Self, OAuthError> {
        if parameters.repeats_any() {
            return Err(OAuthError::request("a parameter came twice"));
        }
        let value = |name| parameters.value(name);
        let length = |name| value(name).map_or(0, str::len);
        if length("state") > LONGEST_STATE
            || length("nonce") > LONGEST_NONCE
            || length("scope") > LONGEST_SCOPE
        {
            return Err(OAuthError::request("state, nonce or scope is too long"));
        }
        check_what_is_supported(parameters)?;
        let scope = value("scope").unwrap_or_default();
        if !scope.split(' ').any(|one| one == "openid") {
            return Err(OAuthError::bad("invalid_scope", "scope lacks openid"));
        }
        let challenge = match (value("code_challenge"), value("code_challenge_method")) {
            (None, None) if !client.needs_pkce() => None,
            (Some(challenge), Some("S256")) if is_well_formed(challenge) => Some(challenge),
            _ => {
                return Err(OAuthError::request(
                    "PKCE is required, with code_challenge_method S256",
                ));
            }
        };
        let prompts: Vec<&str> = value("prompt").unwrap_or_default().split(' ').collect();
        let is_silent = prompts.contains(&"none");
        if is_silent && prompts.len() > 1 {
            return Err(OAuthError::request("prompt=none goes with no other prompt"));
        }
        let max_age = value("max_age").map(str::parse).transpose();
        Ok(Self {
            client: client.id().to_owned(),
            loopback_app: client
                .is_loopback_app()
                .then(|| way_back.redirect_uri.origin().ascii_serialization()),
            redirect_uri,
            scope: scope.to_owned(),
            challenge: challenge.map(str::to_owned),
            nonce: value("nonce").map(str::to_owned),
            login_hint: value("login_hint").map(str::to_owned),
            is_silent,
            wants_sign_in: prompts
                .iter()
                .any(|one| matches!(*one, "login" | "select_account")),
            max_age: max_age.map_err(|_| OAuthError::request("max_age is no number of seconds"))?,
            way_back,
        })
    }

    /// Returns `true` if a user who is signed in must sign in again.
    pub(crate) fn asks_for_sign_in(&self, session: &Session, now: u64) -> bool {
        let age = now.saturating_sub(session.auth_time);
        self.wants_sign_in || self.max_age.is_some_and(|max| max == 0 || age > max)
    }

    /// Returns the URL at which the browser continues.
    pub(crate) fn leads_to(&self) -> &Url {
        &self.way_back.redirect_uri
    }

    /// Back to the app, with a code.
    pub(crate) fn granted(&self, code: &str) -> Url {
        self.way_back.with(&[("code", code)])
    }

    /// Back to the app, with an error.
    pub(crate) fn refusal(&self, error: &OAuthError) -> Url {
        self.way_back.refusal(error)
    }
}

impl WayBack {
    fn refusal(&self, error: &OAuthError) -> Url {
        self.with(&[
            ("error", error.error),
            ("error_description", error.description),
        ])
    }

    /// With `state`, and `iss` (RFC 9207).
    fn with(&self, pairs: &[(&str, &str)]) -> Url {
        let mut url = self.redirect_uri.clone();
        let mut query = url.query_pairs_mut();
        query.extend_pairs(pairs);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", &self.issuer);
        drop(query);
        url
    }
}

/// The client and the redirect URI. Before both are sure, no browser is sent anywhere.
fn who_asks<'a>(
    parameters: &'a Parameters,
    clients: &'a Clients,
) -> Result<(Client<'a>, String), PageError> {
    if parameters.repeats(&["client_id", "redirect_uri"]) {
        return Err(PageError::request(
            "It names its client_id or redirect_uri twice.",
        ));
    }
    let id = parameters.value("client_id").unwrap_or_default();
    let client = clients
        .client(id)
        .ok_or_else(|| PageError::request("Its client_id is not registered here."))?;
    let redirect_uri = parameters.value("redirect_uri").unwrap_or_default();
    if client.redirects_to(redirect_uri) {
        Ok((client, redirect_uri.to_owned()))
    } else if client.is_loopback_app() {
        Err(PageError::request(
            "Its client_id is not registered here, and its redirect_uri is not http at localhost, 127.0.0.1 or [::1].",
        ))
    } else {
        Err(PageError::request(
            "Its redirect_uri is not registered for this client.",
        ))
    }
}

fn check_what_is_supported(parameters: &Parameters) -> Result<(), OAuthError> {
    let value = |name| parameters.value(name);
    if value("request").is_some() {
        return Err(OAuthError::bad(
            "request_not_supported",
            "request objects are not supported",
        ));
    }
    if value("request_uri").is_some() {
        return Err(OAuthError::bad(
            "request_uri_not_supported",
            "request_uri is not supported",
        ));
    }
    if value("response_type") != Some("code") {
        return Err(OAuthError::bad(
            "unsupported_response_type",
            "response_type must be code",
        ));
    }
    if value("response_mode").is_some_and(|mode| mode != "query") {
        return Err(OAuthError::request("response_mode must be query"));
    }
    Ok(())
}
