mod discovered;
mod http;
mod keys;

use std::time::Duration;

use openidconnect::{
    AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, Scope, TokenResponse,
    core::{
        CoreAuthPrompt, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKeySet,
        CoreJwsSigningAlgorithm, CoreResponseType, CoreTokenResponse,
    },
};
use serde::{Deserialize, Serialize};
use token_cache::{
    Timestamp, TokenSet,
    keys::SecretString,
    providers::{Provider, SessionClaims},
    refresh::{Revocation, TokenSource},
};
use url::Url;

pub(crate) use self::discovered::{Discovered, Registration};
use self::{discovered::Registered, http::Http, keys::Keys};

/// The `max_age` of sign-ins: the provider states the authentication time, and lets the user authenticate again after 30 days.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Asks for a refresh token that outlives the provider's session. It needs the user's consent each time (OpenID Connect Core 1.0
/// section 11).
const OFFLINE_ACCESS: &str = "offline_access";

/// An app's registration at its provider, for one server: it has a redirect URI of its own.
pub(crate) struct Oidc {
    http: Http,
    client: Registered,
    registration: Registration,
    issuer: IssuerUrl,
    keys: Keys,
    algorithm: CoreJwsSigningAlgorithm,
    asks_for_offline_access: bool,
    source: Provider,
}

/// The state of a sign-in until the callback.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
}

/// The result of a sign-in: a verified ID token, and the tokens.
pub(crate) struct Authenticated {
    pub(crate) claims: CoreIdTokenClaims,
    /// The claims that the session begins with.
    pub(crate) session: SessionClaims,
    pub(crate) id_token: String,
    pub(crate) tokens: TokenSet,
}

impl Oidc {
    /// Returns the URL for the sign-in: code flow, PKCE, nonce, and a request for `auth_time`.
    pub(crate) fn authorization_request(&self, force_login: bool) -> (Url, Attempt) {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = self
            .client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("profile".to_owned()))
            .set_max_age(MAX_AGE)
            .set_pkce_challenge(challenge);
        if force_login {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        if self.asks_for_offline_access {
            request = request
                .add_scope(Scope::new(OFFLINE_ACCESS.to_owned()))
                .add_prompt(CoreAuthPrompt::Consent);
        }
        let (url, state, nonce) = request.url();
        let attempt = Attempt {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        };
        (url, attempt)
    }

    /// Exchanges the code and verifies the ID token. `sent_at` is this moment on the store's clock.
    ///
    /// # Errors
    /// A sentence without anything secret in it.
    pub(crate) async fn exchange(
        &self,
        code: String,
        attempt: Attempt,
        sent_at: Timestamp,
    ) -> Result<Authenticated, String> {
        let request = self
            .client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| "the provider has no token endpoint".to_owned())?
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier));
        let response = request
            .request_async(&self.http)
            .await
            .map_err(|error| exchange_failed(&error))?;
        let accepted = self.accept(&response, attempt.nonce, sent_at).await;
        if let (Err(_), Some(refresh_token)) = (&accepted, response.refresh_token()) {
            self.revoke(&refresh_token.secret().as_str().into()).await;
        }
        accepted
    }

    /// Verifies the ID token of a code exchange.
    async fn accept(
        &self,
        response: &CoreTokenResponse,
        nonce: String,
        sent_at: Timestamp,
    ) -> Result<Authenticated, String> {
        let id_token = response.id_token().ok_or("the provider gave no ID token")?;
        let nonce = Nonce::new(nonce);
        let text = id_token.to_string();
        let verify = |keys| {
            let verifier = self.verifier(keys);
            let session = SessionClaims::verify(&text, &verifier, &nonce)?;
            Ok((id_token.claims(&verifier, &nonce)?.clone(), session))
        };
        let (claims, session) = self
            .keys
            .try_with(&self.http, verify)
            .await
            .map_err(|error| format!("the ID token can't be accepted: {error}"))?;
        let tokens = TokenSet::from_response(response, sent_at)
            .map_err(|_| "the provider's answer holds no tokens".to_owned())?;
        Ok(Authenticated {
            claims,
            session,
            id_token: text,
            tokens,
        })
    }

    /// Revokes the refresh token of a sign-in that failed: no session has it. Nothing is revoked where that would end the user's other
    /// sessions too.
    pub(crate) async fn revoke(&self, refresh_token: &SecretString) {
        if self.source.revocation() == Revocation::Token {
            // A token that cannot be revoked is good at the provider until it expires.
            let _ = self.source.revoke(refresh_token.clone()).await;
        }
    }

    fn verifier(&self, keys: CoreJsonWebKeySet) -> CoreIdTokenVerifier<'static> {
        let id = ClientId::new(self.registration.client_id.clone());
        let issuer = self.issuer.clone();
        let verifier = match &self.registration.client_secret {
            Some(secret) => {
                let secret = ClientSecret::new(secret.clone());
                CoreIdTokenVerifier::new_confidential_client(id, secret, issuer, keys)
            }
            None => CoreIdTokenVerifier::new_public_client(id, issuer, keys),
        };
        verifier.set_allowed_algs([self.algorithm.clone()])
    }
}

type ExchangeError = openidconnect::RequestTokenError<
    http::Unanswered,
    openidconnect::StandardErrorResponse<openidconnect::core::CoreErrorResponseType>,
>;

fn exchange_failed(error: &ExchangeError) -> String {
    use openidconnect::RequestTokenError::{Parse, Request, ServerResponse};
    match error {
        ServerResponse(refusal) => {
            format!("the provider refused the code: {}", refusal.error())
        }
        Request(unanswered) => unanswered.to_string(),
        Parse(..) => "the provider's answer can't be read".to_owned(),
        openidconnect::RequestTokenError::Other(_) => "the code can't be exchanged".to_owned(),
    }
}
