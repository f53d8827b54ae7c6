use std::{fmt, sync::Arc, time::Instant};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use token_cache_core::{
    RefreshError, RefreshRequest, Revocation, Timestamp, TokenSet, TokenSource, telemetry::warn,
};
use token_cache_http_client::HttpClient;
use url::Url;

use crate::{
    ClientCredentialsSource, CodeExchange, OnBehalfOfGrant, OnBehalfOfSource, ProviderBuilder,
    client_auth::Credentials, http::post, id_token, invalid_client_pause::InvalidClientPause,
    token_response,
};

/// The app's client for one OAuth provider. As a [`TokenSource`], it refreshes tokens at the token endpoint (RFC 6749 section 6), and
/// revokes refresh tokens at the revocation endpoint (RFC 7009).
///
/// Create it once with [`builder`](Self::builder), and share it among all requests of the app. Pass it to
/// [`Session::get_or_refresh`](token_cache_core::Session::get_or_refresh), which calls it when the stored tokens have expired or are about
/// to expire. Clones share the connections, and so do the token sources that [`client_credentials`](Self::client_credentials) and
/// [`on_behalf_of`](Self::on_behalf_of) create.
///
/// If the token endpoint answers `invalid_client`, the client secret is wrong or has expired. This provider, its clones and those token
/// sources then send no token request for 10 seconds, for any user. Each token request in that time fails with the same error. Afterwards,
/// one token request is sent every 10 seconds, until the token endpoint accepts the client. Revocations are sent all the time.
///
/// A refresh fails with [`Refused`](token_cache_core::RefreshErrorKind::Refused), before any request, if the stored tokens have no refresh
/// token. A revocation fails in the same way if no revocation endpoint is set.
///
/// ```no_run
/// # async fn refresh() -> Result<(), Box<dyn std::error::Error>> {
/// use token_cache::{Timestamp, TokenSet, refresh::{RefreshRequest, TokenSource}};
/// use token_cache::providers::Provider;
///
/// let provider = Provider::builder("https://id.example/token", "shop")
///     .client_secret("from the environment")
///     .build()?;
/// let tokens = TokenSet::new("at-1")?.with_refresh_token("rt-1");
/// let request = RefreshRequest::new(Some(tokens), Timestamp::from_secs(1_700_000_000))
///     .resource("https://api.example");
/// let tokens = provider.refresh(request).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) http: HttpClient,
    pub(crate) token_url: Url,
    pub(crate) credentials: Credentials,
    pub(crate) revocation_url: Option<Url>,
    pub(crate) revocation: Revocation,
    pub(crate) invalid_grant_codes: Vec<String>,
    pub(crate) invalid_client_pause: InvalidClientPause,
}

impl Provider {
    /// Creates a builder from the URL of the OAuth provider's token endpoint, and the client id under which the app is registered there.
    /// [`ProviderBuilder::build`] validates both.
    ///
    /// By default the app is a public client, which has no client secret, and a sign-out revokes nothing. Change that with
    /// [`client_secret`](ProviderBuilder::client_secret) and [`revocation`](ProviderBuilder::revocation).
    pub fn builder(token_url: impl Into<String>, client_id: impl Into<String>) -> ProviderBuilder {
        ProviderBuilder::new(token_url, client_id)
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Exchanges the authorization code of a sign-in for tokens (RFC 6749 section 4.1.3), with one request to the token endpoint. The app
    /// calls it in the callback of the sign-in.
    ///
    /// `sent_at` is the current time on the store's clock: pass the result of [`TokenCache::now`](token_cache_core::TokenCache::now). The
    /// lifetime of the new tokens is counted from it. With a later time, the cache returns the access token after it has expired.
    ///
    /// Every response with an access token is accepted, as [`TokenSet::from_json`] describes, even if another member has the wrong type.
    /// The crates `oauth2` and `openidconnect` refuse such a response, although the code is then used up.
    ///
    /// [`TokenSet::id_token`] of the new tokens returns the ID token of the response, or `None` if the response has no ID token. The ID
    /// token is not verified here. Verify it before you trust a claim in it.
    ///
    /// ```no_run
    /// # async fn callback(provider: token_cache::providers::Provider, now: token_cache::Timestamp) -> Result<(), Box<dyn
    /// std::error::Error>> {
    /// use token_cache::providers::CodeExchange;
    ///
    /// let code = CodeExchange::new("the parameter `code`", "https://shop.example/callback")
    ///     .pkce_verifier("the verifier of this sign-in");
    /// let tokens = provider.exchange_code(code, now).await?;
    /// let id_token = tokens.id_token().ok_or("the provider gave no ID token")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`Refused`](token_cache_core::RefreshErrorKind::Refused), before any request, if the code, the redirect URI or the code verifier
    ///   is empty.
    /// - [`InvalidGrant`](token_cache_core::RefreshErrorKind::InvalidGrant) if the provider answers `invalid_grant`, or a code of
    ///   [`invalid_grant_codes`](ProviderBuilder::invalid_grant_codes): the authorization code has expired, was used before or belongs to
    ///   another sign-in.
    /// - For any other failure, the [kind](token_cache_core::RefreshErrorKind) that the same failure of a refresh has.
    ///
    /// Every failure except that of an empty value is logged at WARN (`code_exchange_failed`). The authorization code may then be used up:
    /// the user must sign in again.
    pub async fn exchange_code(
        &self,
        code: CodeExchange,
        sent_at: Timestamp,
    ) -> Result<TokenSet, RefreshError> {
        code.check()?;
        let exchanged = self.post(&code.form(), sent_at).await;
        if let Err(error) = &exchanged {
            warn(
                "code_exchange_failed",
                format_args!(
                    "the provider did not exchange an authorization code: {error}; the user must sign in again",
                ),
            );
        }
        exchanged
    }

    /// Creates a [`TokenSource`] for tokens of the app itself, without a user (client credentials grant, RFC 6749 section 4.4). It has the
    /// settings of this provider and shares its connections. [`ClientCredentialsSource`] describes how to use it.
    pub fn client_credentials(&self) -> ClientCredentialsSource {
        ClientCredentialsSource::new(self.clone())
    }

    /// Creates a [`TokenSource`] for a web API that requests tokens on behalf of a user. `assertion` is the access token that the web API
    /// was called with. `exchange` is the grant that the provider supports. The source has the settings of this provider and shares its
    /// connections. [`OnBehalfOfSource`] describes how to use it.
    ///
    /// The caller must have verified the assertion: it is sent to the provider unchecked. If it is empty, a refresh that must send it
    /// fails with [`Refused`](token_cache_core::RefreshErrorKind::Refused).
    pub fn on_behalf_of(
        &self,
        assertion: impl Into<String>,
        exchange: OnBehalfOfGrant,
    ) -> OnBehalfOfSource {
        OnBehalfOfSource::new(self.clone(), assertion.into().into(), exchange)
    }

    /// Requests tokens with a grant and the scopes and the resource of `request`.
    pub(crate) async fn request_tokens(
        &self,
        grant: &[(&str, &str)],
        request: &RefreshRequest,
    ) -> Result<TokenSet, RefreshError> {
        let scopes = request.scopes.join(" ");
        let mut form = grant.to_vec();
        if !scopes.is_empty() {
            form.push(("scope", &scopes));
        }
        if let Some(resource) = &request.resource {
            form.push(("resource", resource));
        }
        self.post(&form, request.sent_at).await
    }

    async fn post(
        &self,
        form: &[(&str, &str)],
        sent_at: Timestamp,
    ) -> Result<TokenSet, RefreshError> {
        let Inner {
            http,
            token_url,
            credentials,
            invalid_grant_codes,
            invalid_client_pause,
            ..
        } = &*self.0;
        invalid_client_pause.check(Instant::now())?;
        let outcome = match post(http, token_url, credentials, form).await {
            Ok(response) => token_response::read_tokens(&response, sent_at, invalid_grant_codes),
            Err(error) => Err(error),
        };
        invalid_client_pause.note(&outcome, Instant::now());
        outcome
    }

    pub(crate) async fn refresh_with(
        &self,
        refresh_token: &SecretString,
        request: &RefreshRequest,
    ) -> Result<TokenSet, RefreshError> {
        let grant = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose_secret()),
        ];
        let tokens = self.request_tokens(&grant, request).await?;
        id_token::check_same_user(request.tokens.as_ref(), tokens)
    }
}

#[async_trait]
impl TokenSource for Provider {
    async fn refresh(&self, request: RefreshRequest) -> Result<TokenSet, RefreshError> {
        let refresh_token = request.refresh_token().ok_or_else(|| {
            RefreshError::refused(
                "the session has no refresh token; request one at the sign-in (scope `offline_access` at most providers)",
            )
        })?;
        self.refresh_with(refresh_token, &request).await
    }

    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError> {
        let Some(url) = &self.0.revocation_url else {
            return Err(RefreshError::refused(
                "the provider has no revocation endpoint; set one with `ProviderBuilder::revocation`",
            ));
        };
        let form = [
            ("token", refresh_token.expose_secret()),
            ("token_type_hint", "refresh_token"),
        ];
        let response = post(&self.0.http, url, &self.0.credentials, &form).await?;
        token_response::check_status(&response, &[])
    }

    fn revocation(&self) -> Revocation {
        self.0.revocation
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("host", &self.0.token_url.host_str())
            .field("revocation", &self.0.revocation)
            .finish_non_exhaustive()
    }
}
