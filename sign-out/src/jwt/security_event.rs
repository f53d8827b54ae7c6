use serde_json::{Map, Value};

use super::{
    subject::{Opaque, Subject, User},
    validation_error::ValidationError,
    verified_token::{LogoutSubject, VerifiedToken},
};

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
    /// Ends all sessions of the user (OpenID RISC Profile 1.0 sections 2.2, 2.3 and 2.8).
    Account,
    /// Ends the session, all sessions of the user, or both (OpenID CAEP 1.0 section 3.1).
    Sessions,
}

/// Returns what a security event (RFC 8417) ends. The list is empty for other events. Several elements are several
/// names of one subject.
///
/// The cutoff is the token's `iat`: sessions that were authenticated later are kept. The `event_timestamp` is not used.
/// It is optional, drafts used milliseconds, and sessions that began between an incident and its event must end too.
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

/// Returns the subject: the claim `sub_id` (RFC 9493 section 4.1), or the event's own `subject`, as older transmitters
/// send it.
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

/// Returns what the token ends. A transmitter may name users of its own issuer and of the configured one, and no
/// others.
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
    let subjects = distinct_or_none(subjects);
    let sessions = distinct_or_none(sessions.iter().cloned().map(Some).collect());
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

/// Two names can be the same one, such as a user by `sub` and by an `opaque` id.
fn distinct_or_none(mut names: Vec<Option<String>>) -> Vec<Option<String>> {
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { vec![None] } else { names }
}
