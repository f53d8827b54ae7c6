use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use token_cache_core::{AccountId, Entry, ErrorKind, ProviderSid, Result, Session};

use super::id_token::id_token_key;
use crate::client::ClientRegistration;

/// The ID token of a session that is about to end. It is sent to the provider as `id_token_hint` and identifies the
/// account.
///
/// Its signature is not verified again: only the app can put it into the session, and has verified it.
pub(crate) struct SessionIdToken {
    pub(crate) text: String,
    claims: Claims,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    sid: Option<String>,
    login_hint: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl SessionIdToken {
    /// Reads the ID token of a session, or `None` if the app stored none or it cannot be parsed. Sends one request,
    /// which also checks that the session is live.
    ///
    /// # Errors
    /// The same as [`Session::get`], except that an entry that cannot be decrypted is `None`. A sign-out must not wait
    /// for a key.
    pub(crate) async fn read(session: &Session) -> Result<Option<Self>> {
        match session.get(&id_token_key()?).await {
            Ok(entry) => Ok(entry.as_ref().and_then(Self::parse)),
            Err(error) if matches!(error.kind(), ErrorKind::KeyMissing | ErrorKind::Corrupt) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn parse(entry: &Entry) -> Option<Self> {
        let text = str::from_utf8(entry.bytes().ok()?).ok()?;
        let payload = text.split('.').nth(1)?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
        Some(Self {
            text: text.to_owned(),
            claims: serde_json::from_slice(&claims).ok()?,
        })
    }

    /// Returns `true` if the provider issued the token to `client`.
    pub(crate) fn is_issued_to(&self, client: &ClientRegistration) -> bool {
        self.claims.iss == client.issuer
            && match &self.claims.aud {
                Audience::One(id) => *id == client.id,
                Audience::Many(ids) => ids.contains(&client.id),
            }
    }

    /// Returns the `login_hint` claim. Microsoft Entra ID issues it on request and accepts it as `logout_hint`, so that
    /// it need not ask for the account.
    pub(crate) fn login_hint(&self) -> Option<&str> {
        self.claims.login_hint.as_deref()
    }

    /// Returns the `sid` claim.
    pub(crate) fn sid(&self) -> Option<&str> {
        self.claims.sid.as_deref()
    }

    pub(crate) fn account(&self) -> Option<AccountId> {
        AccountId::new(self.claims.iss.as_str(), self.claims.sub.as_str()).ok()
    }

    pub(crate) fn provider_session(&self) -> Option<ProviderSid> {
        let sid = self.claims.sid.as_deref()?;
        ProviderSid::new(self.claims.iss.as_str(), sid).ok()
    }
}
