use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::{Error, Result, Timestamp};

/// The claims of a verified token, and what is being done with them, for errors.
pub(crate) struct Claims {
    operation: &'static str,
    claims: Value,
}

impl Claims {
    pub(crate) fn of(operation: &'static str, claims: &impl Serialize) -> Result<Self> {
        let claims = serde_json::to_value(claims)
            .map_err(|_| Error::misuse(operation, "they are no JSON object"))?;
        Ok(Self { operation, claims })
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>> {
        match self.claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.refused(format!("`{name}` is no string"))),
        }
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<&str> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    pub(crate) fn date(&self, name: &str) -> Result<Option<Timestamp>> {
        match self.claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(date) => numeric_date(date).map(Some).ok_or_else(|| {
                self.refused(format!("`{name}` is no number of seconds since 1970"))
            }),
        }
    }

    pub(crate) fn required_date(&self, name: &str) -> Result<Timestamp> {
        self.date(name)?.ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> Error {
        self.refused(format!("`{name}` is missing"))
    }

    fn refused(&self, message: String) -> Error {
        Error::misuse(self.operation, message)
    }
}

/// A `NumericDate` (RFC 7519 section 2). A fraction is dropped: logout messages come in whole seconds, and equal counts as
/// before.
fn numeric_date(value: &Value) -> Option<Timestamp> {
    if let Some(secs) = value.as_u64() {
        return Some(Timestamp::from_secs(secs));
    }
    let secs = value.as_f64().filter(|secs| *secs >= 0.0 && *secs < 1e15)?;
    Some(Timestamp::from_secs(
        Duration::from_secs_f64(secs).as_secs(),
    ))
}
