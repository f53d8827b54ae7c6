use serde_json::{Map, Value};

use super::{ValidationError, claims::text_of};

/// Whom a security event is about, as far as a session here can be told by it (RFC 9493 and OpenID Shared Signals Framework
/// 1.0 section 3). Several users, or several sessions, are names for the same one.
#[derive(Default)]
pub(crate) struct Subject {
    pub(crate) users: Vec<User>,
    /// The provider's names for a session: its `sid`.
    pub(crate) sessions: Vec<String>,
}

/// A user of an issuer; of the transmitter's own if it names none.
pub(crate) struct User {
    pub(crate) issuer: Option<String>,
    pub(crate) subject: String,
}

/// What an `opaque` identifier names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opaque {
    Session,
    User,
}

impl Subject {
    /// Reads `iss_sub` (RFC 9493 section 3.2.4), `opaque` (section 3.2.5), `complex` with a user, a session or both, and `aliases`
    /// (section 3.2.8) of the first two.
    ///
    /// The other members of a complex subject (device, tenant, …) narrow down whom it means to what no session here can be told
    /// by. They are passed over, as what cannot be read is that stands beside something that can: a sign-out may end too much, and
    /// must not end too little.
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

    /// Those of the identifiers that can be read. Aliases of aliases are not allowed.
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

    /// All that can be read; if nothing can, why the first can't.
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

/// The `format`, which was called `subject_type` and written with hyphens before RFC 9493 was one.
fn format(members: &Map<String, Value>) -> Result<&str, ValidationError> {
    let format = members
        .get("format")
        .or_else(|| members.get("subject_type"));
    match text_of("format", format)? {
        Some("iss-sub") => Ok("iss_sub"),
        Some(format) => Ok(format),
        // Before it had a name of its own, a complex subject was one without a format.
        None if members.contains_key("user") || members.contains_key("session") => Ok("complex"),
        None => Err(ValidationError::MissingMember("format")),
    }
}

fn required(name: &'static str, members: &Map<String, Value>) -> Result<String, ValidationError> {
    text_of(name, members.get(name))?
        .map(str::to_owned)
        .ok_or(ValidationError::MissingMember(name))
}
