use serde::{Deserialize, Serialize};
use token_cache::{EntryKey, Error, Result, Session};

use crate::oidc::Authenticated;

/// The signed-in user: an entry of the session, because a ticket contains no user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) name: String,
    pub(crate) sid: Option<String>,
    pub(crate) auth_time: Option<u64>,
}

impl Profile {
    pub(crate) fn of(authenticated: &Authenticated) -> Self {
        let (claims, session) = (&authenticated.claims, &authenticated.session);
        let subject = claims.subject().as_str();
        let name = claims
            .name()
            .and_then(|name| name.get(None))
            .map(|name| name.as_str())
            .or_else(|| claims.preferred_username().map(|name| name.as_str()));
        Self {
            issuer: claims.issuer().as_str().to_owned(),
            name: name.unwrap_or(subject).to_owned(),
            subject: subject.to_owned(),
            sid: session.sid.clone(),
            auth_time: session.auth_time,
        }
    }

    pub(crate) async fn put(&self, session: &Session) -> Result<()> {
        let json = serde_json::to_vec(self).map_err(|_| unreadable())?;
        session.put(&key()?, json).await
    }

    /// Returns `None` if the sign-in failed before it was written.
    pub(crate) async fn get(session: &Session) -> Result<Option<Self>> {
        let Some(entry) = session.get(&key()?).await? else {
            return Ok(None);
        };
        serde_json::from_slice(entry.bytes()?)
            .map(Some)
            .map_err(|_| unreadable())
    }
}

fn key() -> Result<EntryKey> {
    EntryKey::new("profile")
}

fn unreadable() -> Error {
    Error::new(token_cache::ErrorKind::Corrupt, "read a profile").message("it is no profile")
}
