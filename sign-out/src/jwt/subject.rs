use serde_json::{Map, Value};

use super::{claims::text_of, validation_error::ValidationError};

/// The subject of a security event, as far as it identifies sessions of this app (RFC 9493 and OpenID Shared Signals
/// Framework 1.0 section 3). Several users or sessions are names of the same subject.
#[derive(Default)]
pub(crate) struct Subject {
    pub(crate) users: Vec<User>,
    /// The provider's names of a session: its `sid`.
    pub(crate) sessions: Vec<String>,
}

/// A user of an issuer. Without an issuer, it is a user of the transmitter's own issuer.
pub(crate) struct User {
    pub(crate) issuer: Option<String>,
    pub(crate) subject: String,
}

/// The meaning of an `opaque` identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opaque {
    Session,
    User,
}

impl Subject {
    /// Parses `iss_sub` (RFC 9493 section 3.2.4), `opaque` (section 3.2.5), `complex` with a user, a session or both,
    /// and `aliases` (section 3.2.8) of `iss_sub` and `opaque`.
    ///
    /// The other members of a complex subject (device, tenant, …) cannot be matched to a session here, so they are
    /// ignored. Unreadable members are ignored too if another one is readable: ending too many sessions is safe, and
    /// ending too few is not.
    pub(crate) fn read(value: &Value, opaque: Opaque) -> Result<Self, ValidationError> {
        let members = object(value)?;
        match format(members)? {
            "complex" => Self::complex(members),
            _ => Self::simple(members, opaque),
        }
    }

    fn simple(members: &Map<String, Value>, opaque: Opaque) -> Result<Self, ValidationError> {
        let mut subject = Self::default();
        match format(members)? {
            "iss_sub" => subject.users.push(User {
                issuer: Some(required("iss", members)?),
                subject: required("sub", members)?,
            }),
            "opaque" => {
                let id = required("id", members)?;
                match opaque {
                    Opaque::Session => subject.sessions.push(id),
                    Opaque::User => subject.users.push(User {
                        issuer: None,
                        subject: id,
                    }),
                }
            }
            "aliases" => return Self::aliases(members, opaque),
            _ => return Err(ValidationError::UnsupportedSubjectFormat),
        }
        Ok(subject)
    }

    /// Parses the readable identifiers. Aliases of aliases are not allowed.
    fn aliases(members: &Map<String, Value>, opaque: Opaque) -> Result<Self, ValidationError> {
        let identifiers = members.get("identifiers").and_then(Value::as_array);
        let identifiers = identifiers.ok_or(ValidationError::InvalidMember(
            "identifiers",
            "an array of objects",
        ))?;
        let read = identifiers.iter().map(|identifier| {
            let members = object(identifier)?;
            match format(members)? {
                "iss_sub" | "opaque" => Self::simple(members, opaque),
                _ => Err(ValidationError::UnsupportedSubjectFormat),
            }
        });
        Self::readable(read)
    }

    fn complex(members: &Map<String, Value>) -> Result<Self, ValidationError> {
        let read = |name, opaque| {
            let value = members.get(name).filter(|value| !value.is_null())?;
            Some(object(value).and_then(|members| {
                if opaque == Opaque::Session && format(members)? == "iss_sub" {
                    return Err(ValidationError::UnsupportedSubjectFormat);
                }
                Self::simple(members, opaque)
            }))
        };
        let parts = [read("user", Opaque::User), read("session", Opaque::Session)];
        Self::readable(parts.into_iter().flatten())
    }

    /// Merges all readable parts. If no part is readable, returns the first error.
    fn readable(
        parts: impl Iterator<Item = Result<Self, ValidationError>>,
    ) -> Result<Self, ValidationError> {
        let (mut all, mut unreadable) = (Self::default(), None);
        for part in parts {
            match part {
                Ok(part) => {
                    all.users.extend(part.users);
                    all.sessions.extend(part.sessions);
                }
                Err(refusal) => {
                    unreadable.get_or_insert(refusal);
                }
            }
        }
        if all.users.is_empty() && all.sessions.is_empty() {
            return Err(unreadable.unwrap_or(ValidationError::UnsupportedSubjectFormat));
        }
        Ok(all)
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>, ValidationError> {
    let expected = "an object (RFC 9493 section 3)";
    value
        .as_object()
        .ok_or(ValidationError::InvalidMember("sub_id", expected))
}

/// Returns the `format`. Drafts of RFC 9493 called it `subject_type` and used hyphens.
fn format(members: &Map<String, Value>) -> Result<&str, ValidationError> {
    let format = members
        .get("format")
        .or_else(|| members.get("subject_type"));
    match text_of("format", format)? {
        Some("iss-sub") => Ok("iss_sub"),
        Some(format) => Ok(format),
        // In drafts, a complex subject had no format.
        None if members.contains_key("user") || members.contains_key("session") => Ok("complex"),
        None => Err(ValidationError::MissingMember("format")),
    }
}

fn required(name: &'static str, members: &Map<String, Value>) -> Result<String, ValidationError> {
    text_of(name, members.get(name))?
        .map(str::to_owned)
        .ok_or(ValidationError::MissingMember(name))
}
