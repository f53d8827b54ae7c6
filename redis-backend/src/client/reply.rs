use redis::Value;
use token_cache_core::{Error, ErrorKind, Result};

/// A reply that is not an error.
#[derive(Debug, PartialEq)]
pub(crate) struct Reply(pub(super) Value);

impl Reply {
    pub(crate) fn number(&self, operation: &'static str) -> Result<i64> {
        match &self.0 {
            Value::Int(number) => Ok(*number),
            Value::BulkString(text) => std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| unexpected(operation)),
            _ => Err(unexpected(operation)),
        }
    }

    pub(crate) fn bytes(self, operation: &'static str) -> Result<Option<Vec<u8>>> {
        match self.0 {
            Value::Nil => Ok(None),
            Value::BulkString(bytes) => Ok(Some(bytes)),
            Value::SimpleString(text) => Ok(Some(text.into_bytes())),
            _ => Err(unexpected(operation)),
        }
    }

    pub(crate) fn list(self, operation: &'static str) -> Result<impl Iterator<Item = Self>> {
        match self.0 {
            Value::Array(items) => Ok(items.into_iter().map(Self)),
            _ => Err(unexpected(operation)),
        }
    }

    /// Returns the two values in the reply to an `HMGET` of two fields.
    pub(crate) fn pair(self, operation: &'static str) -> Result<[Option<Vec<u8>>; 2]> {
        let mut items = self.list(operation)?;
        let mut next = || items.next().ok_or_else(|| unexpected(operation));
        Ok([next()?.bytes(operation)?, next()?.bytes(operation)?])
    }
}

pub(crate) fn unexpected(operation: &'static str) -> Error {
    Error::new(ErrorKind::Unexpected, operation)
        .store(crate::STORE)
        .message("the reply has an unexpected type; check that the server is Redis or Valkey")
}
