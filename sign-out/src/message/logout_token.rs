use serde_json::Value;
use token_cache_core::{LogoutMessage, Result, Timestamp};

use super::{Claims, Refusal};

/// The event that makes a token a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a verified logout token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogoutToken {
    pub(crate) issued_at: Timestamp,
    pub(crate) subject: Option<String>,
    pub(crate) sid: Option<String>,
}

impl LogoutToken {
    /// Applies the rules of sections 2.4 and 2.6 that are about this kind of token alone.
    ///
    /// The `jti` must be there and is not remembered: a message that comes twice ends nothing that it did not end before, and
    /// one whose first answer was lost must succeed.
    pub(crate) fn of(claims: &Claims, issued_at: Timestamp) -> std::result::Result<Self, Refusal> {
        if claims.has("nonce") {
            return Err(Refusal::Nonce);
        }
        claims.required_text("jti")?;
        match claims.member("events") {
            None => return Err(Refusal::Missing("events")),
            Some(Value::Object(events)) if events.get(EVENT).is_some_and(Value::is_object) => {}
            Some(Value::Object(_)) => return Err(Refusal::Event),
            Some(_) => return Err(Refusal::Malformed("events", "an object")),
        }
        let subject = claims.text("sub")?.map(str::to_owned);
        let sid = claims.text("sid")?.map(str::to_owned);
        if subject.is_none() && sid.is_none() {
            return Err(Refusal::Nobody);
        }
        Ok(Self {
            issued_at,
            subject,
            sid,
        })
    }

    /// The same, as the cache takes it.
    pub(crate) fn message(&self, issuer: &str) -> Result<LogoutMessage> {
        let mut message = LogoutMessage::new(issuer, self.issued_at)?;
        if let Some(subject) = &self.subject {
            message = message.subject(subject)?;
        }
        if let Some(sid) = &self.sid {
            message = message.sid(sid)?;
        }
        Ok(message)
    }
}
