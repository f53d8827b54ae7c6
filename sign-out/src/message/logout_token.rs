use serde_json::Value;

use super::{Refusal, readable};
use crate::{ending::Ending, verify::Verified};

/// The event that makes a token a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a logout token ends, by the rules of sections 2.4 and 2.6 that are about this kind of token alone.
///
/// The `jti` must be there and is not remembered: a message that comes twice ends nothing that it did not end before, and one
/// whose first answer was lost must succeed.
pub(crate) fn ended_by_logout_token(token: Verified) -> Result<Ending, Refusal> {
    let claims = token.claims;
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
    // One that cannot be read leaves what the other names: too much may end, and too little must not.
    let (subject, sid) = match (claims.text("sub"), claims.text("sid")) {
        (Ok(None), Ok(None)) => return Err(Refusal::Nobody),
        (Ok(None) | Err(_), Err(unreadable)) | (Err(unreadable), Ok(None)) => {
            return Err(unreadable);
        }
        (subject, sid) => (
            readable(&token.issuer, subject).map(str::to_owned),
            readable(&token.issuer, sid).map(str::to_owned),
        ),
    };
    Ok(Ending {
        issuer: token.issuer,
        issued_at: token.issued_at,
        subject,
        sid,
    })
}
