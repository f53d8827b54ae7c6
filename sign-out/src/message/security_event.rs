use serde_json::{Map, Value};

use super::{
    ValidationError,
    subject::{Opaque, Subject, User},
};
use crate::{logout_subject::LogoutSubject, verify::VerifiedToken};

/// The events that end sessions.
const EVENTS: [(&str, Meaning); 4] = [
    (
        "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
        Meaning::Account,
    ),
    (
        "https://schemas.openid.net/secevent/risc/event-type/account-purged",
        Meaning::Account,
    ),
    (
        "https://schemas.openid.net/secevent/risc/event-type/sessions-revoked",
        Meaning::Account,
    ),
    (
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
        Meaning::Sessions,
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// All sessions of the user (OpenID RISC Profile 1.0 sections 2.2, 2.3 and 2.8).
    Account,
    /// The session, or all of the user, or both together (OpenID CAEP 1.0 section 3.1).
    Sessions,
}

/// What a security event ends (RFC 8417); nothing if it tells of something else. Several endings are of several names of one
/// subject.
///
/// The moment is the token's `iat`, when the transmitter said so: whoever authenticates after that is spared. The
/// `event_timestamp` is no help: it may be absent, it was milliseconds in drafts and is seconds today, and sessions that began
/// between an incident and the word of it are meant as well.
pub(crate) fn security_event_subjects(
    token: &VerifiedToken,
) -> Result<Vec<LogoutSubject>, ValidationError> {
    let claims = &token.claims;
    claims.required_text("jti")?;
    let malformed = ValidationError::InvalidMember("events", "an object of objects");
    let events = match claims.member("events") {
        None => return Err(ValidationError::MissingMember("events")),
        Some(Value::Object(events)) if !events.is_empty() => events,
        Some(_) => return Err(malformed),
    };
    let known = EVENTS
        .into_iter()
        .find_map(|(name, meaning)| Some((events.get(name)?, meaning)));
    let Some((event, meaning)) = known else {
        return Ok(Vec::new());
    };
    let event = event.as_object().ok_or(malformed)?;
    let opaque = match meaning {
        Meaning::Account => Opaque::User,
        Meaning::Sessions => Opaque::Session,
    };
    let subject = Subject::read(subject_of(token, event)?, opaque)?;
    let sessions = match meaning {
        Meaning::Account => Vec::new(),
        Meaning::Sessions => subject.sessions,
    };
    subjects(token, subject.users, &sessions)
}

/// The claim `sub_id` (RFC 9493 section 4.1), or the event's own `subject`, as it was before.
fn subject_of<'a>(
    token: &'a VerifiedToken,
    event: &'a Map<String, Value>,
) -> Result<&'a Value, ValidationError> {
    let subject = event.get("subject").filter(|value| !value.is_null());
    match (token.claims.member("sub_id"), subject) {
        (Some(one), Some(other)) if one != other => Err(ValidationError::ConflictingSubjects),
        (Some(subject), _) | (None, Some(subject)) => Ok(subject),
        (None, None) => Err(ValidationError::MissingMember("sub_id")),
    }
}

/// A transmitter speaks for its own issuer, or the one that the app says, and for nobody else's users.
fn subjects(
    token: &VerifiedToken,
    users: Vec<User>,
    sessions: &[String],
) -> Result<Vec<LogoutSubject>, ValidationError> {
    let names_users = !users.is_empty();
    let is_ours = |user: &User| {
        let issuer = user.issuer.as_ref();
        issuer.is_none_or(|named| *named == token.issuer || *named == token.subject_issuer)
    };
    let users = users.into_iter().filter(is_ours);
    let subjects: Vec<Option<String>> = users.map(|user| Some(user.subject)).collect();
    if names_users && subjects.is_empty() {
        return Err(ValidationError::ForeignSubjectIssuer);
    }
    if subjects.is_empty() && sessions.is_empty() {
        return Err(ValidationError::MissingSubject);
    }
    let or_none = |names: Vec<Option<String>>| if names.is_empty() { vec![None] } else { names };
    let subjects = or_none(subjects);
    let sessions = or_none(sessions.iter().cloned().map(Some).collect());
    Ok(subjects
        .into_iter()
        .flat_map(|subject| {
            sessions.iter().map(move |sid| LogoutSubject {
                issuer: token.subject_issuer.clone(),
                issued_at: token.issued_at,
                subject: subject.clone(),
                sid: sid.clone(),
            })
        })
        .collect())
}
