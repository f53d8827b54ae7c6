use std::sync::Arc;

use axum::Router;

use crate::{
    app_cache::{AppCache, Denied, Found, access_token},
    failure::Failure,
    message::{Request, Response, StateCookie},
    oidc::{Attempt, Discovered, Oidc, Registration},
    server_caches::CacheKind,
};

/// The path of an app's endpoint for logout tokens.
pub(crate) const fn back_channel_path(kind: CacheKind) -> &'static str {
    match kind {
        CacheKind::TokenCache => "/token-cache/backchannel-logout",
        CacheKind::PlainCache => "/plain-cache/backchannel-logout",
    }
}

/// The app as one server runs it, with one of its two caches.
#[derive(Clone)]
pub(crate) struct App {
    cache: Arc<dyn AppCache>,
    provider: Arc<Discovered>,
    sign_in: Arc<Oidc>,
}

impl App {
    /// Learns from the provider where its endpoints are.
    pub(crate) async fn new(
        cache: Arc<dyn AppCache>,
        registration: Registration,
        redirect_uri: String,
    ) -> Result<Self, Failure> {
        let provider = Discovered::at(registration).await?;
        Ok(Self {
            cache,
            sign_in: Arc::new(provider.for_server(redirect_uri)?),
            provider: Arc::new(provider),
        })
    }

    /// Returns the endpoint that receives the provider's logout tokens (OpenID Connect Back-Channel Logout 1.0).
    pub(crate) async fn back_channel(&self, kind: CacheKind) -> Result<Router, Failure> {
        let path = back_channel_path(kind);
        self.cache.back_channel(&self.provider, path).await
    }

    pub(crate) async fn handle(&self, request: Request) -> Result<Response, Denied> {
        Ok(match request {
            Request::StartSignIn { anew } => {
                let started = self.cache.start_sign_in()?;
                let (url, attempt) = self.sign_in.authorization_request(anew);
                let cookie = StateCookie {
                    started,
                    state: attempt.state,
                    nonce: attempt.nonce,
                    verifier: attempt.verifier,
                };
                Response::Redirected {
                    url: url.into(),
                    cookie,
                }
            }
            Request::FinishSignIn {
                cookie,
                state,
                code,
            } => self.finish_sign_in(cookie, &state, code).await?,
            Request::CallApi { cookie } => match self.cache.read(&cookie).await? {
                Some(Found { token, from }) => Response::Called { token, from },
                None => Response::NoTokens,
            },
            Request::Refresh { cookie } => {
                let provider = self.provider.source();
                match self.cache.refresh(&cookie, provider).await? {
                    Some(token) => Response::Refreshed { token },
                    None => Response::NoTokens,
                }
            }
            Request::CutBackplane => Response::BackplaneCut(self.cache.cut_backplane()),
            Request::LeaseState => Response::LeaseState(self.cache.lease()),
            Request::Waited => Response::Waited(self.cache.waited().await),
        })
    }

    async fn finish_sign_in(
        &self,
        cookie: StateCookie,
        state: &str,
        code: String,
    ) -> Result<Response, Denied> {
        if state != cookie.state {
            let message = "the provider's answer belongs to another sign-in";
            return Err(Denied::Failed(message.to_owned()));
        }
        let attempt = Attempt {
            state: cookie.state,
            nonce: cookie.nonce,
            verifier: cookie.verifier,
        };
        let authenticated = self
            .sign_in
            .exchange(code, attempt, self.cache.now()?)
            .await;
        let authenticated = authenticated.map_err(Denied::Failed)?;
        let token = access_token(&authenticated.tokens);
        let refresh_token = authenticated.tokens.refresh_token().cloned();
        let begun = self.cache.sign_in(&cookie.started, authenticated).await;
        if let (Err(_), Some(refresh_token)) = (&begun, &refresh_token) {
            self.sign_in.revoke(refresh_token).await;
        }
        let cookie = begun?;
        Ok(Response::SignedIn { cookie, token })
    }
}
