use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use token_cache_core::{AccountId, Entry, EntryKey, ErrorKind, ProviderSid, Result, Session};

use crate::client::ClientRegistration;

/// Returns the entry key under which an app stores the ID token of a session, for the app's own sign-out
/// ([`SignOutRoutes::logout`](crate::SignOutRoutes::logout)). Store the token in the session at the sign-in, unchanged,
/// after it was verified. Its signature is not verified again.
///
/// The app's own sign-out sends the ID token to the provider as `id_token_hint` (OpenID Connect RP-Initiated Logout 1.0
/// section 2). If no ID token is stored under the key, or it cannot be parsed, the provider may ask the user to
/// confirm.
///
/// ```
/// # use token_cache::{AccountId, SignIn, TokenCache};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// # let cache = TokenCache::in_memory().await?;
/// # let ada = AccountId::new("https://id.example", "ada")?;
/// # let session = cache.sign_in(SignIn::new(ada, &cache.start_sign_in()?)).await?;
/// # let id_token = "header.payload.signature";
/// session.put(&token_cache::sign_out::id_token_key()?, id_token.as_bytes()).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// Never returns an error: the key is a constant within every limit.
pub fn id_token_key() -> Result<EntryKey> {
    EntryKey::new("openid id_token")
}

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
