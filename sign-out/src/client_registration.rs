use std::{fmt, sync::Arc, time::Duration};

use token_cache_core::{EntryKey, TokenSource};
use url::{Host, Url};

use crate::{Algorithm, ConfigError, FrontChannelParameters};

/// An app's registration at one provider: whose messages are taken, how they are signed, and where its users sign out.
///
/// ```
/// use token_cache_sign_out::ClientRegistration;
///
/// let client = ClientRegistration::new("https://id.example", "shop")
///     .post_logout_redirect_uri("https://shop.example/signed-out");
/// ```
#[derive(Clone)]
#[must_use]
pub struct ClientRegistration {
    pub(crate) issuer: String,
    pub(crate) id: String,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) keys: JwksSource,
    pub(crate) jwks_cooldown: Duration,
    pub(crate) trusted_audiences: Vec<String>,
    pub(crate) without_expiry: bool,
    pub(crate) subject_issuer: Option<String>,
    pub(crate) leeway: Duration,
    pub(crate) max_token_age: Duration,
    pub(crate) session_required: bool,
    pub(crate) end_session_endpoint: Option<String>,
    pub(crate) post_logout_redirect_uri: Option<String>,
    pub(crate) id_token_hint: bool,
    pub(crate) max_logout_url_len: usize,
    pub(crate) front_channel_parameters: FrontChannelParameters,
    pub(crate) revocation: Option<(EntryKey, Arc<dyn TokenSource>)>,
}

/// Where the keys come from that a provider signs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JwksSource {
    /// The `jwks_uri` of its discovery document.
    Discovery,
    /// A JWK Set at a URL.
    Uri(String),
    /// A JWK Set, as JSON.
    Inline(String),
}

/// What lies further in the future is no clock that is wrong.
const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// A message that meets a new key waits for the rest of the pause, and is good for two minutes.
const MAX_COOLDOWN: Duration = Duration::from_secs(60);

impl ClientRegistration {
    /// The client `client_id` of the provider `issuer`, both exactly as they stand in the provider's tokens.
    ///
    /// Its messages are signed by keys that the provider's discovery document leads to, with any [`Algorithm`]. A sign-out by the
    /// app goes to the `end_session_endpoint` named there.
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            id: client_id.into(),
            algorithms: Algorithm::ALL.to_vec(),
            keys: JwksSource::Discovery,
            jwks_cooldown: Duration::from_secs(10),
            trusted_audiences: Vec::new(),
            without_expiry: false,
            subject_issuer: None,
            leeway: Duration::from_secs(60),
            max_token_age: Duration::from_secs(10 * 60),
            session_required: false,
            end_session_endpoint: None,
            post_logout_redirect_uri: None,
            id_token_hint: true,
            max_logout_url_len: 2_000,
            front_channel_parameters: FrontChannelParameters::default(),
            revocation: None,
        }
    }

    /// Accepts only messages that are signed with these algorithms. By default every [`Algorithm`] is accepted, so that a user who
    /// can sign in can be signed out: a logout token is signed as the client's ID tokens are (OpenID Connect Back-Channel Logout 1.0
    /// section 2.6), and only the provider's published keys verify it.
    ///
    /// If you restrict them, name what the client is registered with (`id_token_signed_response_alg`). Messages that are signed with
    /// another algorithm are refused and logged (`logout_token_refused`). If the provider's discovery document lists none of these
    /// algorithms, that is logged too, when it is fetched (`provider_algorithm_not_accepted`).
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Takes the provider's keys from this JWK Set (RFC 7517 section 5), without asking for its discovery document: say the
    /// [`end_session_endpoint`](Self::end_session_endpoint) as well.
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.keys = JwksSource::Uri(url.into());
        self
    }

    /// Takes the provider's keys from this JWK Set, given as JSON, and fetches none.
    pub fn jwks(mut self, jwks: impl Into<String>) -> Self {
        self.keys = JwksSource::Inline(jwks.into());
        self
    }

    /// Accepts logout tokens whose `aud` names these audiences besides the client (OpenID Connect Core 1.0 section 3.1.3.7 rule 3).
    /// By default every member of `aud` must be a client of the provider in these routes. Security events need no such setting:
    /// they are sent to many receivers at once.
    pub fn trusted_audiences(
        mut self,
        audiences: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.trusted_audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    /// The pause between two fetches of the provider's keys that are made because a message's key is not among them: 10 s by
    /// default, 60 s at the most. A message that comes within the pause is answered 503 and verified after it.
    pub fn jwks_cooldown(mut self, cooldown: Duration) -> Self {
        self.jwks_cooldown = cooldown;
        self
    }

    /// Takes logout tokens without an `exp`, as Ory Hydra sends them. Back-Channel Logout 1.0 section 2.4 demands one; without it
    /// a token is good for the [longest age](Self::max_token_age).
    pub fn logout_tokens_without_expiry(mut self, yes: bool) -> Self {
        self.without_expiry = yes;
        self
    }

    /// Takes the security events of this issuer for those of accounts of `issuer`, another one: for a transmitter that has a name
    /// of its own. Google's `https://accounts.google.com/` speaks for `https://accounts.google.com`.
    ///
    /// Such a transmitter is a client of its own: its issuer, and as client id the audience of its stream.
    pub fn subject_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.subject_issuer = Some(issuer.into());
        self
    }

    /// How far the provider's clock and this server's may be apart: 60 s unless said, five minutes at most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How old a logout token may be, by its `iat`: ten minutes unless said. An old one ends nothing that began after it.
    pub fn max_token_age(mut self, age: Duration) -> Self {
        self.max_token_age = age;
        self
    }

    /// Says that the client is registered with `backchannel_logout_session_required` or `frontchannel_logout_session_required`, so
    /// the provider's messages name a session by its `sid`.
    ///
    /// A sign-in whose ID token has no `sid` is then logged at WARN (`sign_in_without_sid`), once for each provider: a message
    /// that names only a `sid` would not end its session.
    pub fn session_required(mut self, yes: bool) -> Self {
        self.session_required = yes;
        self
    }

    /// Sends users who sign out to this endpoint, whatever the discovery document says.
    pub fn end_session_endpoint(mut self, url: impl Into<String>) -> Self {
        self.end_session_endpoint = Some(url.into());
        self
    }

    /// Where the provider sends users back after a sign-out: exactly as it is registered there.
    pub fn post_logout_redirect_uri(mut self, url: impl Into<String>) -> Self {
        self.post_logout_redirect_uri = Some(url.into());
        self
    }

    /// Sends the session's ID token to the provider at the app's own sign-out, as `id_token_hint` (RP-Initiated Logout 1.0 section 2).
    /// On by default.
    ///
    /// Without it the provider gets `client_id`, and as `logout_hint` the ID token's `login_hint` or else its `sid`. It may then ask the
    /// user whether to sign out. Turn it off for a provider that refuses the parameter, or to keep ID tokens out of URLs.
    pub fn id_token_hint(mut self, yes: bool) -> Self {
        self.id_token_hint = yes;
        self
    }

    /// The longest URL, in bytes, that a browser is sent to with the ID token in it. The default is 2,000.
    ///
    /// An ID token with many claims, such as a list of groups, makes a URL that gateways and providers refuse: some from 1,500 bytes on,
    /// many from 2,048, most from 8,192. A longer URL is sent without the ID token, as with [`id_token_hint(false)`](Self::id_token_hint).
    pub fn max_logout_url_len(mut self, bytes: usize) -> Self {
        self.max_logout_url_len = bytes;
        self
    }

    /// Says what the provider's front-channel requests name, for a provider that does not send `iss` and `sid` as the specification
    /// says. By default only requests with both are accepted.
    pub fn front_channel_parameters(mut self, names: FrontChannelParameters) -> Self {
        self.front_channel_parameters = names;
        self
    }

    /// Revokes, after the app's own sign-out, the refresh token that the session keeps under `key`, if `source` says so
    /// ([`TokenSource::revocation`]). Where the session may be another client's of the same provider, for want of an ID token, nothing is
    /// revoked.
    pub fn revoke_on_sign_out(mut self, key: EntryKey, source: impl TokenSource) -> Self {
        self.revocation = Some((key, Arc::new(source)));
        self
    }

    pub(crate) fn validated(self) -> Result<Self, ConfigError> {
        parse_https_url("the issuer", &self.issuer)?;
        if self.id.trim().is_empty() {
            return Err(ConfigError::new("a client id is empty"));
        }
        if self.algorithms.is_empty() {
            return Err(ConfigError::new(
                "a client without algorithms takes no message; name the registered one",
            ));
        }
        if self.leeway > MAX_LEEWAY {
            return Err(ConfigError::new(
                "a leeway of over five minutes lets a provider's message sign out who signs in after it; set the clocks right",
            ));
        }
        if self.jwks_cooldown > MAX_COOLDOWN {
            return Err(ConfigError::new(format!(
                "a `jwks_cooldown` of {:?} is over a minute, and a message under a new key would wait for so long; set a shorter one",
                self.jwks_cooldown,
            )));
        }
        if let JwksSource::Uri(keys) = &self.keys {
            parse_https_url("the JWK Set", keys)?;
        }
        if let Some(endpoint) = &self.end_session_endpoint {
            parse_https_url("the end_session_endpoint", endpoint)?;
        }
        if let Some(back) = &self.post_logout_redirect_uri {
            parse_https_url("the post_logout_redirect_uri", back)?;
        }
        Ok(self)
    }
}

/// A URL that is safe to fetch or to send a user to: https, or http where nobody can listen in.
pub(crate) fn parse_https_url(what: &str, text: &str) -> Result<Url, ConfigError> {
    // A parser of URLs drops white space, and the issuer of a message is compared to the letter.
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(ConfigError::new(format!(
            "{what} {text:?} has white space in it; write it exactly as the provider does"
        )));
    }
    let url = Url::parse(text)
        .map_err(|error| ConfigError::new(format!("{what} {text:?} is no URL: {error}")))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(ConfigError::new(format!(
            "{what} {text:?} must be https (plain http only at a loopback address)"
        ))),
    }
}

/// True where nobody but this machine can listen.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl fmt::Debug for ClientRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRegistration")
            .field("issuer", &self.issuer)
            .field("client_id", &self.id)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}
