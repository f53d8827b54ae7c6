mod options;

use std::{fmt, sync::Arc, time::Duration};

use token_cache_core::{EntryKey, TokenSource};

pub(crate) use self::options::JwksSource;
pub use self::options::{ClaimRequirement, FrontChannelParameters, IdTokenHint};
use crate::{
    config::{ConfigError, parse_https_url},
    jwt::Algorithm,
};

/// The app's registration as a client of one OpenID provider, with the settings for the provider's keys and for logout.
/// Create it with [`new`](Self::new), and pass it to
/// [`SignOutRoutesBuilder::client`](crate::SignOutRoutesBuilder::client).
/// [`SignOutRoutesBuilder::build`](crate::SignOutRoutesBuilder::build) returns an error if a setting is invalid.
///
/// ```
/// use token_cache::sign_out::ClientRegistration;
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

/// A difference of more than five minutes is not clock skew.
const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// A message signed with a new key waits for the rest of the cooldown, and is valid for two minutes.
const MAX_COOLDOWN: Duration = Duration::from_secs(60);

impl ClientRegistration {
    /// Creates the registration of the client `client_id` at the provider `issuer`. Write both exactly as the
    /// provider's tokens do, in `iss` and `aud`: they are compared byte by byte. Messages with another issuer or
    /// audience are rejected with 400.
    ///
    /// [`build`](crate::SignOutRoutesBuilder::build) returns an error if `client_id` is empty, or if `issuer` is
    /// neither `https` nor `http` at a loopback address.
    ///
    /// By default, the signing keys and the logout endpoint come from the provider's discovery document, at
    /// *issuer*`/.well-known/openid-configuration`. If it cannot be fetched, or names another issuer, the provider's
    /// messages are answered with 503. Every [`Algorithm`] is accepted.
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

    /// Accepts only messages of the provider (logout tokens and security events) that are signed with one of these
    /// algorithms. By default every [`Algorithm`] is accepted. An empty list is an error of
    /// [`SignOutRoutesBuilder::build`](crate::SignOutRoutesBuilder::build).
    ///
    /// A logout token is signed with the algorithm of the client's ID tokens (OpenID Connect Back-Channel Logout 1.0
    /// section 2.6). So include the algorithm that is registered for the client (`id_token_signed_response_alg`).
    ///
    /// Messages with another algorithm are rejected with 400 and logged (`logout_token_refused`,
    /// `security_event_refused`). If the provider's discovery document lists none of the accepted algorithms, that is
    /// logged when the document is fetched (`provider_algorithm_not_accepted`).
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Sets the URL of the JWK Set (RFC 7517 section 5) from which the provider's signing keys are fetched. By default
    /// the URL comes from the provider's discovery document. [`build`](crate::SignOutRoutesBuilder::build) returns an
    /// error if the URL is neither `https` nor `http` at a loopback address. If both `jwks_uri` and
    /// [`jwks`](Self::jwks) are called, the last call applies.
    ///
    /// With this setting, the discovery document is not read. Set the
    /// [`end_session_endpoint`](Self::end_session_endpoint) too. Otherwise the app's own sign-out
    /// ([`logout`](crate::SignOutRoutes::logout)) does not reach the provider, and users stay signed in there.
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.keys = JwksSource::Uri(url.into());
        self
    }

    /// Sets the provider's signing keys: a JWK Set (RFC 7517 section 5), as JSON. With this setting, no keys are
    /// fetched. By default they are fetched from the URL in the provider's discovery document. If both `jwks` and
    /// [`jwks_uri`](Self::jwks_uri) are called, the last call applies. [`build`](crate::SignOutRoutesBuilder::build)
    /// returns an error if `jwks` is not a JWK Set.
    ///
    /// If the provider replaces a key, set the new one here: messages that are signed with an unknown key are rejected
    /// with 400.
    ///
    /// With this setting, the discovery document is not read. Set the
    /// [`end_session_endpoint`](Self::end_session_endpoint) too. Otherwise the app's own sign-out
    /// ([`logout`](crate::SignOutRoutes::logout)) does not reach the provider, and users stay signed in there.
    pub fn jwks(mut self, jwks: impl Into<String>) -> Self {
        self.keys = JwksSource::Inline(jwks.into());
        self
    }

    /// Accepts logout tokens whose `aud` contains these audiences in addition to the client's id (OpenID Connect Core
    /// 1.0 section 3.1.3.7 rule 3). A second call replaces the first.
    ///
    /// By default, each audience of a logout token must be the id of a client that was added to the routes for this
    /// provider. A token with any other audience is rejected with 400. The setting does not affect security events:
    /// their `aud` must contain the id of one such client, and may contain any other receivers.
    pub fn trusted_audiences(
        mut self,
        audiences: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.trusted_audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the minimum time between two fetches of the provider's keys that are caused by messages with unknown keys.
    /// Anyone can send such messages, so the setting limits the requests to the provider. The default is 10 s.
    /// [`build`](crate::SignOutRoutesBuilder::build) returns an error for more than 60 s.
    ///
    /// If a message whose key is not among the cached keys arrives within this time after such a fetch, it is answered
    /// with 503. It is verified when the time is over and the keys have been fetched again, as
    /// [`back_channel_logout`](crate::SignOutRoutes::back_channel_logout) describes for waiting tokens.
    pub fn jwks_cooldown(mut self, cooldown: Duration) -> Self {
        self.jwks_cooldown = cooldown;
        self
    }

    /// Sets whether a logout token must have an `exp`. The default is [`ClaimRequirement::Required`], as Back-Channel
    /// Logout 1.0 section 2.4 requires: a token without it is rejected with 400.
    ///
    /// Use [`ClaimRequirement::Optional`] for a provider that sends logout tokens without an `exp`, such as Ory Hydra.
    /// Such a token is valid until it reaches the [maximum token age](Self::max_token_age). The setting does not affect
    /// security events, which need no `exp`.
    pub fn exp_claim(mut self, exp: ClaimRequirement) -> Self {
        self.exp_claim = exp;
        self
    }

    /// Sets the issuer of the accounts that security events of this provider are about. Set it if the accounts have
    /// another issuer than the events. By default it is the issuer of this registration. The setting does not affect
    /// logout tokens.
    ///
    /// For example, Google's events come from `https://accounts.google.com/` and are about accounts of
    /// `https://accounts.google.com`. Register such a sender of events, called a *transmitter*, as a client of its own:
    /// add another `ClientRegistration` whose client id is the audience of the transmitter's event stream.
    ///
    /// An event is rejected with 400 if it names only accounts whose issuer is neither `issuer` nor the issuer of this
    /// registration.
    pub fn subject_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.subject_issuer = Some(issuer.into());
        self
    }

    /// Sets how far the provider's clock and the store's clock may differ. The default is 60 s.
    /// [`build`](crate::SignOutRoutesBuilder::build) returns an error for more than five minutes.
    ///
    /// Logout tokens and security events are checked by the store's clock. The leeway applies to `iat`, `exp`, `nbf`
    /// and the [maximum token age](Self::max_token_age). A message that fails one of these checks in spite of the
    /// leeway is rejected with 400.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets the maximum age of a logout token, measured from its `iat`. The default is ten minutes, and the
    /// [leeway](Self::leeway) is added. An older token is rejected with 400. Security events may have any age.
    ///
    /// A delayed token never ends a session that was authenticated after the token's `iat` (G2), whatever this setting.
    /// The exception is a session with the token's `sid`: the provider has ended that `sid` forever.
    pub fn max_token_age(mut self, age: Duration) -> Self {
        self.max_token_age = age;
        self
    }

    /// Sets whether a sign-in without a `sid` at this provider is logged. The default is
    /// [`ClaimRequirement::Optional`]: it is not logged. The setting rejects no sign-in and no logout message.
    ///
    /// Set [`ClaimRequirement::Required`] if the client is registered with `backchannel_logout_session_required` or
    /// `frontchannel_logout_session_required`. The provider's messages then contain a `sid`. A message with only a
    /// `sid` does not end a session that was begun without one.
    ///
    /// With `Required`, the first sign-in at this issuer without a `sid` is logged at WARN (`sign_in_without_sid`). The
    /// same `TokenCache` does not log later ones.
    pub fn sid_claim(mut self, sid: ClaimRequirement) -> Self {
        self.sid_claim = sid;
        self
    }

    /// Sets the URL of the provider's logout endpoint, to which the app's own sign-out
    /// ([`logout`](crate::SignOutRoutes::logout)) redirects the browser. By default it comes from the provider's
    /// discovery document.
    ///
    /// If neither this setting nor the discovery document has an endpoint, users are redirected to
    /// [`after_sign_out`](crate::SignOutRoutesBuilder::after_sign_out) and stay signed in at the provider.
    /// [`build`](crate::SignOutRoutesBuilder::build) returns an error if `url` is neither `https` nor `http` at a
    /// loopback address.
    pub fn end_session_endpoint(mut self, url: impl Into<String>) -> Self {
        self.end_session_endpoint = Some(url.into());
        self
    }

    /// Sets the URL to which the provider sends the browser back after a sign-out, such as
    /// `https://shop.example/signed-out`. It is the public URL of the route
    /// [`POST_LOGOUT_REDIRECT`](crate::paths::POST_LOGOUT_REDIRECT). Write it exactly as it is registered at the
    /// provider: providers refuse other URLs. [`build`](crate::SignOutRoutesBuilder::build) returns an error if it is
    /// neither `https` nor `http` at a loopback address.
    ///
    /// By default the parameter `post_logout_redirect_uri` is not sent, and the provider decides which page the user
    /// sees. The origin of the URL also counts as an origin of this app when [`logout`](crate::SignOutRoutes::logout)
    /// rejects requests of other sites.
    pub fn post_logout_redirect_uri(mut self, url: impl Into<String>) -> Self {
        self.post_logout_redirect_uri = Some(url.into());
        self
    }

    /// Sets whether the app's own sign-out ([`logout`](crate::SignOutRoutes::logout)) sends the session's ID token to
    /// the provider as `id_token_hint` (RP-Initiated Logout 1.0 section 2). The default is [`IdTokenHint::Send`].
    ///
    /// Use [`IdTokenHint::Omit`] for a provider that rejects `id_token_hint`, or to keep ID tokens out of URLs. The
    /// provider then receives the `client_id`, and as `logout_hint` the ID token's `login_hint` or `sid`, if it has
    /// one. It may ask the user to confirm.
    pub fn id_token_hint(mut self, hint: IdTokenHint) -> Self {
        self.id_token_hint = hint;
        self
    }

    /// Sets the maximum length, in bytes, of a logout URL that contains the ID token. The app's own sign-out
    /// ([`logout`](crate::SignOutRoutes::logout)) redirects the browser to the logout URL at the provider. The default
    /// is 2,000 bytes. If the URL would be longer, the ID token is omitted, and the provider may ask the user to
    /// confirm.
    ///
    /// An ID token with many claims, such as a list of groups, can make the URL too long for gateways and providers.
    /// Some of them reject URLs of 1,500 bytes, many reject 2,048, most reject 8,192.
    pub fn max_logout_url_len(mut self, bytes: usize) -> Self {
        self.max_logout_url_len = bytes;
        self
    }

    /// Sets which parameters the provider's front-channel logout requests have. The default is
    /// [`FrontChannelParameters::IssuerAndSid`], as the specification requires: a request without both parameters is
    /// answered with 400. Use another variant only for a provider that does not send both, or that sends the user's
    /// `sub` as the `sid`.
    pub fn front_channel_parameters(mut self, names: FrontChannelParameters) -> Self {
        self.front_channel_parameters = names;
        self
    }

    /// Revokes a refresh token at the provider after the app's own sign-out ([`logout`](crate::SignOutRoutes::logout)).
    /// It is the one under `key` in the session that the request's ticket names. `source` sends the revocation, such as
    /// the source that the app passes to [`get_or_refresh`](token_cache_core::Session::get_or_refresh). By default
    /// nothing is revoked.
    ///
    /// The revocation is sent in the background, one second after the sessions ended. If it fails, that is logged at
    /// WARN (`revocation_failed`). The sign-out is final nevertheless, and the token stays valid at the provider until
    /// it expires there.
    ///
    /// Nothing is revoked in these cases:
    /// - The session has no refresh token under `key`.
    /// - [`TokenSource::revocation`] of `source` returns [`Revocation::None`](token_cache_core::Revocation::None).
    /// - `revocation` returns [`Revocation::Grant`](token_cache_core::Revocation::Grant), and the account has another
    ///   live session or may have one.
    /// - The app stored no ID token in the session, and the session may belong to another client of these routes.
    ///
    /// Refresh tokens of the other sessions that the sign-out ends are not revoked.
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

impl fmt::Debug for ClientRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRegistration")
            .field("issuer", &self.issuer)
            .field("client_id", &self.id)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}
