use std::time::Duration;

use async_trait::async_trait;
use token_cache::{
    AccountId, EntryKey, Error, ExposeSecret, Over, Session, SignIn, TokenCache, TokenSet, Written,
};

use super::{AppCache, Cached, Cookie, Denied};
use crate::provider::{Grant, ISSUER, Tokens};

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
        session.put(&self.api, token_set(&grant.tokens)).await?;
        Ok(Cookie {
            subject: grant.claims.sub.clone(),
            ticket: Some(session.ticket()?.to_text()),
        })
    }

    async fn read(&self, cookie: &Cookie) -> Result<Option<Cached>, Denied> {
        let Some(entry) = self.session(cookie)?.get(&self.api).await? else {
            return Ok(None);
        };
        let tokens = entry.tokens()?;
        Ok(Some(Cached {
            tokens: Tokens {
                access_token: tokens.access_token().expose_secret().to_owned(),
                refresh_token: tokens
                    .refresh_token()
                    .map(|token| token.expose_secret().to_owned())
                    .unwrap_or_default(),
            },
            version: Some(entry.version()),
        }))
    }

    async fn write_back(&self, cookie: &Cookie, old: &Cached, new: &Tokens) -> Result<(), Denied> {
        let over = old.version.map_or(Over::Nothing, Over::Version);
        let session = self.session(cookie)?;
        match session.put_over(&self.api, token_set(new), over).await? {
            Written::Stored => Ok(()),
            Written::Superseded => Err(Denied::Failed(
                "somebody else refreshed the same tokens".to_owned(),
            )),
        }
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

fn token_set(tokens: &Tokens) -> TokenSet {
    TokenSet::new(&tokens.access_token).with_refresh_token(&tokens.refresh_token)
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
