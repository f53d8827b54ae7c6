use serde_json::{Map, Value};

use super::{Refusal, claims::text_of};

/// Whom a security event is about, as far as a session here can be told by it (RFC 9493 and OpenID Shared Signals Framework
/// 1.0 section 3).
pub(crate) struct Subject {
    pub(crate) user: Option<User>,
    /// The provider's name for a session: its `sid`.
    pub(crate) session: Option<String>,
}

/// A user of an issuer; of the transmitter's own where it names none.
pub(crate) struct User {
    pub(crate) issuer: Option<String>,
    pub(crate) subject: String,
}

/// What an `opaque` identifier at the top names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opaque {
    Session,
    User,
}

impl Subject {
    /// Reads `iss_sub` (RFC 9493 section 3.2.4), `opaque` (section 3.2.5) and `complex` with a user, a session or both.
    ///
    /// The other members of a complex subject (device, tenant, …) narrow down whom it means to what no session here can be told
    /// by. They are passed over: a sign-out may end too much, and must not end too little.
    pub(crate) fn read(value: &Value, opaque: Opaque) -> Result<Self, Refusal> {
        let members = object(value)?;
        match format(members)? {
            "opaque" if opaque == Opaque::Session => Ok(Self {
                user: None,
                session: Some(required("id", members)?),
            }),
            "iss_sub" | "opaque" => Ok(Self {
                user: Some(User::read(members)?),
                session: None,
            }),
            "complex" => Self::complex(members),
            _ => Err(Refusal::SubjectFormat),
        }
    }

    fn complex(members: &Map<String, Value>) -> Result<Self, Refusal> {
        let user = members
            .get("user")
            .map(|user| User::read(object(user)?))
            .transpose()?;
        let session = members
            .get("session")
            .map(|session| {
                let session = object(session)?;
                match format(session)? {
                    "opaque" => required("id", session),
                    _ => Err(Refusal::SubjectFormat),
                }
            })
            .transpose()?;
        if user.is_none() && session.is_none() {
            return Err(Refusal::SubjectFormat);
        }
        Ok(Self { user, session })
    }
}

impl User {
    fn read(members: &Map<String, Value>) -> Result<Self, Refusal> {
        match format(members)? {
            "iss_sub" => Ok(Self {
                issuer: Some(required("iss", members)?),
                subject: required("sub", members)?,
            }),
            "opaque" => Ok(Self {
                issuer: None,
                subject: required("id", members)?,
            }),
            _ => Err(Refusal::SubjectFormat),
        }
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>, Refusal> {
    let expected = "an object (RFC 9493 section 3)";
    value
        .as_object()
        .ok_or(Refusal::Malformed("sub_id", expected))
}

/// The `format`, which was called `subject_type` and written with hyphens before RFC 9493 was one.
fn format(members: &Map<String, Value>) -> Result<&str, Refusal> {
    let format = members
        .get("format")
        .or_else(|| members.get("subject_type"));
    match text_of("format", format)? {
        Some("iss-sub") => Ok("iss_sub"),
        Some(format) => Ok(format),
        // Before it had a name of its own, a complex subject was one without a format.
        None if members.contains_key("user") || members.contains_key("session") => Ok("complex"),
        None => Err(Refusal::Missing("format")),
    }
}

fn required(name: &'static str, members: &Map<String, Value>) -> Result<String, Refusal> {
    text_of(name, members.get(name))?
        .map(str::to_owned)
        .ok_or(Refusal::Missing(name))
}
