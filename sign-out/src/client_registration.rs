use std::{fmt, sync::Arc, time::Duration};

use token_cache_core::{EntryKey, TokenSource};
use url::{Host, Url};

use crate::{Algorithm, ConfigError, FrontChannelParameters};

/// The settings of an app's registration at an OpenID provider: issuer, client id, signing keys and logout. Pass it to
/// [`SignOutRoutesBuilder::client`](crate::SignOutRoutesBuilder::client). It is validated when the routes are built.
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
    pub(crate) exp_claim: ClaimRequirement,
    pub(crate) subject_issuer: Option<String>,
    pub(crate) leeway: Duration,
    pub(crate) max_token_age: Duration,
    pub(crate) sid_claim: ClaimRequirement,
    pub(crate) end_session_endpoint: Option<String>,
    pub(crate) post_logout_redirect_uri: Option<String>,
    pub(crate) id_token_hint: IdTokenHint,
    pub(crate) max_logout_url_len: usize,
    pub(crate) front_channel_parameters: FrontChannelParameters,
    pub(crate) revocation: Option<(EntryKey, Arc<dyn TokenSource>)>,
}

/// The claim policy for a provider's logout messages: whether each message has a certain claim.
///
/// The effect depends on the setting that it is passed to. [`ClientRegistration::exp_claim`] rejects messages, and
/// [`ClientRegistration::sid_claim`] only logs a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClaimRequirement {
    /// Every message of the provider has the claim. For `exp_claim`, this is the default, and a logout token without
    /// `exp` is rejected with 400. For `sid_claim`, the first sign-in without a `sid` is logged.
    Required,
    /// A message may omit the claim. For `exp_claim`, a logout token without `exp` is accepted, and an `exp` that is
    /// present is still checked. For `sid_claim`, this is the default, and nothing is logged.
    Optional,
}

/// The choice whether the app's own sign-out sends the session's ID token to the provider, as `id_token_hint`. Pass it
/// to [`ClientRegistration::id_token_hint`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdTokenHint {
    /// The provider receives the ID token, so it need not ask the user to confirm. This is the default.
    ///
    /// The ID token is omitted if the app stored none under [`id_token_key`](crate::id_token_key), if it was issued to
    /// another client, or if the URL would exceed [`ClientRegistration::max_logout_url_len`].
    Send,
    /// The provider receives no ID token, and may ask the user to confirm.
    Omit,
}

/// The source of a provider's signing keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JwksSource {
    /// The `jwks_uri` of the provider's discovery document.
    Discovery,
    /// The URL of a JWK Set.
    Uri(String),
    /// A JWK Set, as JSON.
    Inline(String),
}

/// A difference of more than five minutes is not clock skew.
const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// A message signed with a new key waits for the rest of the cooldown, and is valid for two minutes.
const MAX_COOLDOWN: Duration = Duration::from_secs(60);

impl ClientRegistration {
    /// Creates the registration of the client `client_id` at the provider `issuer`. Write both exactly as the
    /// provider's tokens do: they are compared byte by byte.
    ///
    /// By default, the signing keys and the `end_session_endpoint` come from the provider's discovery document, and
    /// every [`Algorithm`] is accepted.
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            id: client_id.into(),
            algorithms: Algorithm::ALL.to_vec(),
            keys: JwksSource::Discovery,
            jwks_cooldown: Duration::from_secs(10),
            trusted_audiences: Vec::new(),
            exp_claim: ClaimRequirement::Required,
            subject_issuer: None,
            leeway: Duration::from_secs(60),
            max_token_age: Duration::from_secs(10 * 60),
            sid_claim: ClaimRequirement::Optional,
            end_session_endpoint: None,
            post_logout_redirect_uri: None,
            id_token_hint: IdTokenHint::Send,
            max_logout_url_len: 2_000,
            front_channel_parameters: FrontChannelParameters::default(),
            revocation: None,
        }
    }

    /// Accepts only messages that are signed with one of these algorithms. By default every [`Algorithm`] is accepted.
    ///
    /// A logout token is signed with the algorithm of the client's ID tokens (OpenID Connect Back-Channel Logout 1.0
    /// section 2.6). If you restrict the algorithms, include the registered one (`id_token_signed_response_alg`).
    ///
    /// Messages with another algorithm are rejected and logged (`logout_token_refused`). If the provider's discovery
    /// document lists none of the accepted algorithms, that is logged when it is fetched
    /// (`provider_algorithm_not_accepted`).
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Sets the URL of the JWK Set (RFC 7517 section 5) from which the provider's keys are fetched. By default the URL
    /// comes from the discovery document.
    ///
    /// If this URL is set, the discovery document is not read. Set the
    /// [`end_session_endpoint`](Self::end_session_endpoint) too, or the app's own sign-out does not reach the provider.
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.keys = JwksSource::Uri(url.into());
        self
    }

    /// Sets the provider's keys: a JWK Set, as JSON. Then no keys are fetched. If the provider has a new key, the app
    /// must be configured with it.
    ///
    /// The discovery document is not read either. Set the [`end_session_endpoint`](Self::end_session_endpoint) too, or
    /// the app's own sign-out does not reach the provider.
    pub fn jwks(mut self, jwks: impl Into<String>) -> Self {
        self.keys = JwksSource::Inline(jwks.into());
        self
    }

    /// Accepts logout tokens whose `aud` contains these audiences in addition to the client's id (OpenID Connect Core
    /// 1.0 section 3.1.3.7 rule 3).
    ///
    /// By default, each audience in the `aud` of a logout token must be the id of a client that these routes have for
    /// the provider. The setting does not affect security events, whose `aud` may contain any other receivers.
    pub fn trusted_audiences(
        mut self,
        audiences: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.trusted_audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the minimum time between two fetches of the keys that are caused by messages with unknown keys. The default
    /// is 10 s, the maximum is 60 s.
    ///
    /// A message with an unknown key that arrives within this time after a fetch is answered with 503. It is verified
    /// when the time is over and the keys have been fetched again.
    pub fn jwks_cooldown(mut self, cooldown: Duration) -> Self {
        self.jwks_cooldown = cooldown;
        self
    }

    /// Sets whether a logout token must have an `exp`. The default is [`ClaimRequirement::Required`], as Back-Channel
    /// Logout 1.0 section 2.4 requires: a token without it is rejected with 400.
    ///
    /// Ory Hydra sends tokens without an `exp`. With [`ClaimRequirement::Optional`], such a token is valid for the
    /// [maximum token age](Self::max_token_age). Security events are not affected.
    pub fn exp_claim(mut self, exp: ClaimRequirement) -> Self {
        self.exp_claim = exp;
        self
    }

    /// Sets the issuer of the accounts that the security events of this client's provider are about. By default it is
    /// the provider's own issuer. The provider is called the *transmitter* of these events.
    ///
    /// For example, Google's events come from `https://accounts.google.com/` and are about accounts of
    /// `https://accounts.google.com`. Register such a transmitter as a separate client. Its client id is the audience
    /// of its event stream.
    pub fn subject_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.subject_issuer = Some(issuer.into());
        self
    }

    /// Sets the tolerated difference between the provider's clock and the store's clock, by which tokens are checked.
    /// It applies to `iat`, `exp`, `nbf` and the maximum age. The default is 60 s, the maximum is five minutes.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets the maximum age of a logout token, by its `iat`. The [leeway](Self::leeway) is added. The default is ten
    /// minutes. An older token is rejected with 400. Security events may have any age.
    ///
    /// A delayed token never ends a session that was authenticated after its `iat` (G2), whatever its age.
    pub fn max_token_age(mut self, age: Duration) -> Self {
        self.max_token_age = age;
        self
    }

    /// Sets whether a sign-in without a `sid` at this provider is logged. The default is
    /// [`ClaimRequirement::Optional`]: it is not logged. The setting only logs: it rejects no sign-in and no logout
    /// message.
    ///
    /// Set [`ClaimRequirement::Required`] if the client is registered with `backchannel_logout_session_required` or
    /// `frontchannel_logout_session_required`. The logout messages for such a client contain a `sid`. A message with
    /// only a `sid` does not end a session that was begun without one. With `Required`, the first sign-in at this
    /// issuer without a `sid` is logged at WARN (`sign_in_without_sid`). The same `TokenCache` does not log later ones.
    pub fn sid_claim(mut self, sid: ClaimRequirement) -> Self {
        self.sid_claim = sid;
        self
    }

    /// Sets the provider's logout endpoint, to which users who sign out are redirected. By default it comes from the
    /// discovery document.
    ///
    /// If neither this setting nor the discovery document has an endpoint, users are redirected to
    /// [`after_sign_out`](crate::SignOutRoutesBuilder::after_sign_out) and stay signed in at the provider.
    pub fn end_session_endpoint(mut self, url: impl Into<String>) -> Self {
        self.end_session_endpoint = Some(url.into());
        self
    }

    /// Sets the URL to which the provider sends users back after a sign-out. Write it exactly as it is registered at
    /// the provider. It is the URL of the route [`POST_LOGOUT_REDIRECT`](crate::paths::POST_LOGOUT_REDIRECT).
    ///
    /// By default the parameter `post_logout_redirect_uri` is not sent, and the provider decides which page the user
    /// sees. The origin of the URL also counts as an origin of this app in the check against cross-site requests.
    pub fn post_logout_redirect_uri(mut self, url: impl Into<String>) -> Self {
        self.post_logout_redirect_uri = Some(url.into());
        self
    }

    /// Sets whether the app's own sign-out sends the session's ID token to the provider as `id_token_hint`
    /// (RP-Initiated Logout 1.0 section 2). By default it is sent.
    ///
    /// With [`IdTokenHint::Omit`], the provider receives the `client_id`, and the ID token's `login_hint` or `sid` as
    /// `logout_hint`. The provider may then ask the user to confirm. Use `Omit` for a provider that rejects
    /// `id_token_hint`, or to keep ID tokens out of URLs.
    pub fn id_token_hint(mut self, hint: IdTokenHint) -> Self {
        self.id_token_hint = hint;
        self
    }

    /// Sets the maximum length, in bytes, of a logout URL that contains the ID token. The default is 2,000. For a
    /// longer URL the ID token is omitted, and the provider may ask the user to confirm.
    ///
    /// An ID token with many claims, such as a list of groups, makes a URL that gateways and providers reject. Some
    /// reject URLs of 1,500 bytes, many reject 2,048, most reject 8,192.
    pub fn max_logout_url_len(mut self, bytes: usize) -> Self {
        self.max_logout_url_len = bytes;
        self
    }

    /// Sets which parameters the provider's front-channel requests have. The default is
    /// [`FrontChannelParameters::IssuerAndSid`], as the specification requires: requests without both are answered with
    /// 400.
    pub fn front_channel_parameters(mut self, names: FrontChannelParameters) -> Self {
        self.front_channel_parameters = names;
        self
    }

    /// Revokes the refresh token that the session stores under `key`, after the app's own sign-out. By default nothing
    /// is revoked.
    ///
    /// The revocation is sent one second after the sessions ended, in the background. If it fails, that is logged at
    /// WARN (`revocation_failed`). The sign-out is final nevertheless, and the token stays valid at the provider until
    /// it expires there.
    ///
    /// Nothing is revoked in these cases:
    /// - [`TokenSource::revocation`] of `source` returns [`Revocation::None`](token_cache_core::Revocation::None).
    /// - `revocation` returns [`Revocation::Grant`](token_cache_core::Revocation::Grant), and the account has another
    ///   live session or may have one.
    /// - The session has no ID token and may belong to another client of the provider.
    pub fn revoke_on_sign_out(mut self, key: EntryKey, source: impl TokenSource) -> Self {
        self.revocation = Some((key, Arc::new(source)));
        self
    }

    pub(crate) fn validated(self) -> Result<Self, ConfigError> {
        parse_https_url("the issuer", &self.issuer)?;
        if self.id.trim().is_empty() {
            return Err(ConfigError::new(format!(
                "a client of the issuer {:?} has an empty client id; pass the id that the provider assigned",
                self.issuer,
            )));
        }
        if self.algorithms.is_empty() {
            return Err(ConfigError::new(
                "`algorithms` got an empty list, so every message would be rejected; include the registered algorithm",
            ));
        }
        if self.leeway > MAX_LEEWAY {
            return Err(ConfigError::new(format!(
                "a `leeway` of {:?} exceeds five minutes, so a message could end sessions that began after it; synchronize the clocks",
                self.leeway,
            )));
        }
        if self.jwks_cooldown > MAX_COOLDOWN {
            return Err(ConfigError::new(format!(
                "a `jwks_cooldown` of {:?} exceeds one minute, and a message signed with a new key would wait as long; set a shorter one",
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

/// Parses a URL that is safe to fetch or to redirect users to: `https`, or `http` at a loopback address.
pub(crate) fn parse_https_url(what: &str, text: &str) -> Result<Url, ConfigError> {
    // A URL parser drops white space, but the issuer of a message is compared byte by byte.
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(ConfigError::new(format!(
            "{what} {text:?} contains white space; write it exactly as the provider does"
        )));
    }
    let url = Url::parse(text)
        .map_err(|error| ConfigError::new(format!("{what} {text:?} must be a URL: {error}")))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(ConfigError::new(format!(
            "{what} {text:?} is not allowed; use https, or http at a loopback address"
        ))),
    }
}

/// Returns `true` if the host is this machine.
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
