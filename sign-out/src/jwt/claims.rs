use serde_json::Value;
use token_cache_core::{Timestamp, telemetry::warn};

use super::{json::JsonObject, validation_error::ValidationError};

/// The maximum length of an issuer, a subject and a `sid` in `token-cache-core`.
const MAX_STRING_BYTES: usize = 8 * 1024;

/// The members of a token's header or payload. Each accessor checks the type that the specification requires.
pub(crate) struct Claims(JsonObject);

impl Claims {
    pub(crate) fn new(object: JsonObject) -> Self {
        Self(object)
    }

    /// Returns `true` if the member exists, with any value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.member(name).is_some()
    }

    /// Returns a member, or `None` if it is absent or `null`.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.0.member(name).filter(|value| !value.is_null())
    }

    /// Returns a string, or `None` if it is absent or empty.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<&str>, ValidationError> {
        text_of(name, self.member(name))
    }

    pub(crate) fn required_text(&self, name: &'static str) -> Result<&str, ValidationError> {
        self.text(name)?.ok_or(ValidationError::MissingMember(name))
    }

    /// Returns a `NumericDate` (RFC 7519 section 2), rounded down to a second.
    pub(crate) fn date(&self, name: &'static str) -> Result<Option<Timestamp>, ValidationError> {
        let Some(value) = self.member(name) else {
            return Ok(None);
        };
        let secs = match value {
            Value::Number(number) => number.as_u64().or_else(|| whole_seconds(number.as_f64()?)),
            _ => None,
        };
        let expected = "a number of seconds since 1970";
        secs.map(|secs| Some(Timestamp::from_secs(secs)))
            .ok_or(ValidationError::InvalidMember(name, expected))
    }

    pub(crate) fn required_date(&self, name: &'static str) -> Result<Timestamp, ValidationError> {
        self.date(name)?.ok_or(ValidationError::MissingMember(name))
    }

    /// Returns the audience, which is one string or several (RFC 7519 section 4.1.3).
    pub(crate) fn audience(&self) -> Result<Vec<&str>, ValidationError> {
        let malformed = ValidationError::InvalidMember("aud", "a string, or an array of strings");
        match self.member("aud") {
            None => Err(ValidationError::MissingMember("aud")),
            Some(Value::String(one)) => Ok(vec![one]),
            Some(Value::Array(several)) => several
                .iter()
                .map(|one| one.as_str().ok_or(malformed.clone()))
                .collect(),
            Some(_) => Err(malformed),
        }
    }
}

/// Returns an optional member of a verified message of `issuer`. An unreadable member is logged and skipped, because it
/// must not keep the user signed in.
pub(crate) fn log_unreadable<T>(
    issuer: &str,
    member: Result<Option<T>, ValidationError>,
) -> Option<T> {
    member.unwrap_or_else(|refusal| {
        warn(
            "provider_message_member_skipped",
            format_args!(
                "a message of the provider {issuer:?} was processed without a member that cannot be read: {refusal}"
            ),
        );
        None
    })
}

/// Returns a string, or `None` if it is absent, `null` or empty.
pub(crate) fn text_of<'a>(
    name: &'static str,
    value: Option<&'a Value>,
) -> Result<Option<&'a str>, ValidationError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.len() <= MAX_STRING_BYTES => Ok(Some(text)),
        Some(_) => Err(ValidationError::InvalidMember(
            name,
            "a string of 1 to 8192 bytes",
        )),
    }
}

fn whole_seconds(secs: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked, and the fraction is meant to go"
    )]
    (0.0..1e15).contains(&secs).then_some(secs as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(json: &str) -> Claims {
        Claims::new(JsonObject::parse(json.as_bytes()).unwrap())
    }

    #[test]
    fn a_date_is_a_number_that_is_not_negative() {
        let date = |json: &str| claims(&format!(r#"{{"iat":{json}}}"#)).required_date("iat");
        assert_eq!(date("1700000000"), Ok(Timestamp::from_secs(1_700_000_000)));
        assert_eq!(
            date("1700000000.9"),
            Ok(Timestamp::from_secs(1_700_000_000))
        );
        assert_eq!(date("1.7e9"), Ok(Timestamp::from_secs(1_700_000_000)));
        for json in [
            "-1",
            "-0.5",
            "1e300",
            "\"1700000000\"",
            "null",
            "true",
            "[1]",
            "{}",
        ] {
            assert!(date(json).is_err(), "{json}");
        }
        assert_eq!(
            claims("{}").required_date("iat"),
            Err(ValidationError::MissingMember("iat"))
        );
    }

    #[test]
    fn an_audience_is_a_string_or_strings() {
        assert_eq!(claims(r#"{"aud":"a"}"#).audience(), Ok(vec!["a"]));
        assert_eq!(
            claims(r#"{"aud":["a","b"]}"#).audience(),
            Ok(vec!["a", "b"])
        );
        for json in [
            r#"{"aud":{"a":1}}"#,
            r#"{"aud":["a",1]}"#,
            r#"{"aud":null}"#,
            "{}",
        ] {
            assert!(claims(json).audience().is_err(), "{json}");
        }
    }
}
