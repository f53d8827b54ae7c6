use std::time::Duration;

use serde::Serialize;
use serde_json::{Number, Value};

use crate::{Error, Result, Timestamp};

/// The claims of a verified token, and the operation that reads them, for errors.
pub(crate) struct Claims {
    operation: &'static str,
    claims: Value,
}

impl Claims {
    pub(crate) fn of(operation: &'static str, claims: &impl Serialize) -> Result<Self> {
        let claims = serde_json::to_value(claims).map_err(|_| {
            Error::misuse(
                operation,
                "the claims do not serialize to JSON; pass the claims of a verified token",
            )
        })?;
        Ok(Self { operation, claims })
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>> {
        match self.claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.refused(format!("the claim `{name}` must be a string"))),
        }
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<&str> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    pub(crate) fn date(&self, name: &str) -> Result<Option<Timestamp>> {
        match self.claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(date)) => Ok(Some(numeric_date(date))),
            Some(_) => Err(self.refused(format!(
                "the claim `{name}` must be a number of seconds since 1970"
            ))),
        }
    }

    pub(crate) fn required_date(&self, name: &str) -> Result<Timestamp> {
        self.date(name)?.ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> Error {
        self.refused(format!(
            "the claim `{name}` is missing; pass the claims of a verified token"
        ))
    }

    fn refused(&self, message: String) -> Error {
        Error::misuse(self.operation, message)
    }
}

/// Returns a `NumericDate` (RFC 7519 section 2), saturating. A fraction is dropped: logout messages have whole seconds, and an
/// equal time counts as before.
fn numeric_date(value: &Number) -> Timestamp {
    if let Some(secs) = value.as_u64() {
        return Timestamp::from_secs(secs);
    }
    let secs = value.as_f64().unwrap_or_default().max(0.0);
    Duration::try_from_secs_f64(secs).map_or(Timestamp::MAX, |since| {
        Timestamp::from_secs(since.as_secs())
    })
}
