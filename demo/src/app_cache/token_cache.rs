use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use token_cache::{
    AccountId, EntryKey, Error, ExposeSecret, RefreshError, RefreshRequest, Session, SignIn,
    TokenCache, TokenSet,
};

use super::{AppCache, Cookie, Denied};
use crate::{
    provider::{Grant, ISSUER, TokenRequest, Tokens},
    token_endpoint::TokenEndpoint,
};

const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// How an app uses token-cache.
pub(crate) struct WithTokenCache {
    cache: TokenCache,
    api: EntryKey,
}

impl WithTokenCache {
    pub(crate) fn new(cache: TokenCache) -> Result<Self, Error> {
        let api = EntryKey::resource("https://api.example")?;
        Ok(Self { cache, api })
    }

    fn session(&self, cookie: &Cookie) -> Result<Session, Denied> {
        let ticket = cookie.ticket.as_deref().unwrap_or_default().parse()?;
        Ok(self.cache.resume_unverified(&ticket)?)
    }
}

#[async_trait]
impl AppCache for WithTokenCache {
    fn store(&self) -> String {
        self.cache.store().to_string()
    }

    fn start_sign_in(&self) -> Result<String, Denied> {
        Ok(self.cache.start_sign_in()?.to_text())
    }

    async fn sign_in(&self, state: &str, grant: &Grant) -> Result<Cookie, Denied> {
        let sign_in = SignIn::from_claims(&grant.claims, &state.parse()?)?.lifetime(LIFETIME);
        let session = self.cache.sign_in(sign_in).await?;
        // They are due at once, so that the story can refresh them.
        let tokens = token_set(&grant.tokens).with_expires_at(SystemTime::now().into());
        session.put(&self.api, tokens).await?;
        Ok(Cookie {
            subject: grant.claims.sub.clone(),
            ticket: Some(session.ticket()?.to_text()),
        })
    }

    async fn read(&self, cookie: &Cookie) -> Result<Option<String>, Denied> {
        let Some(entry) = self.session(cookie)?.get(&self.api).await? else {
            return Ok(None);
        };
        Ok(Some(access_token(&entry.tokens()?)))
    }

    async fn refresh(
        &self,
        cookie: &Cookie,
        endpoint: &TokenEndpoint,
    ) -> Result<Option<String>, Denied> {
        let endpoint = endpoint.clone();
        let source = move |request| refreshed(endpoint.clone(), request);
        let session = self.session(cookie)?;
        let tokens = session.get_or_refresh(&self.api, source).await?;
        Ok(Some(access_token(&tokens)))
    }

    async fn sign_out(&self, cookie: &Cookie) -> Result<(), Denied> {
        let account = AccountId::new(ISSUER, &cookie.subject)?;
        let report = self.cache.sign_out_account(&account).await?;
        if report.ended {
            Ok(())
        } else {
            Err(Denied::Failed("the sign-out found no session".to_owned()))
        }
    }
}

async fn refreshed(
    endpoint: TokenEndpoint,
    request: RefreshRequest,
) -> Result<TokenSet, RefreshError> {
    let refresh_token = request
        .refresh_token()
        .map(|token| token.expose_secret().to_owned())
        .unwrap_or_default();
    let answer = endpoint.call(TokenRequest::Refresh { refresh_token }).await;
    let grant = answer.map_err(RefreshError::transient)?;
    Ok(token_set(&grant.tokens).with_expires_at(request.sent_at + LIFETIME))
}

fn token_set(tokens: &Tokens) -> TokenSet {
    TokenSet::new(&tokens.access_token).with_refresh_token(&tokens.refresh_token)
}

fn access_token(tokens: &TokenSet) -> String {
    tokens.access_token().expose_secret().to_owned()
}

impl From<Error> for Denied {
    fn from(error: Error) -> Self {
        if error.is_signed_out() {
            Self::SignedOut
        } else {
            Self::Failed(error.to_string())
        }
    }
}
