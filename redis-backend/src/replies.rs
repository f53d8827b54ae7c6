//! The replies of scripts and commands.

use token_cache_core::{Error, Result, SessionId, SessionRecord, Timestamp};

use crate::{
    client::{Reply, unexpected},
    record,
};

/// Returns the session of a record that was read, if it is live.
pub(crate) fn live_session(
    operation: &'static str,
    session_id: SessionId,
    record: Option<Vec<u8>>,
    now: Timestamp,
) -> Result<SessionRecord> {
    let Some(record) = record else {
        return Err(signed_out(operation));
    };
    let record = record::decode_session(session_id, &record)?;
    if record.is_over(now) {
        return Err(signed_out(operation));
    }
    Ok(record)
}

/// Returns the result that a script replies as a number: 1 is success, 0 signed out, 3 an unreadable record.
pub(crate) fn check_granted(operation: &'static str, answer: i64) -> Result<()> {
    match answer {
        1 => Ok(()),
        0 => Err(signed_out(operation)),
        3 => Err(record::corrupt(operation, "the stored record")),
        _ => Err(unexpected(operation)),
    }
}

pub(crate) fn signed_out(operation: &'static str) -> Error {
    Error::signed_out(operation).store(crate::STORE)
}

/// Returns the pairs in a flat list of names and values.
pub(crate) fn pairs(operation: &'static str, answer: Reply) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut items = answer.list(operation)?;
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (items.next(), items.next()) {
        let bytes = |reply: Reply| reply.bytes(operation)?.ok_or_else(|| unexpected(operation));
        pairs.push((bytes(name)?, bytes(value)?));
    }
    Ok(pairs)
}

pub(crate) fn hash(operation: &'static str, bytes: &[u8]) -> Result<[u8; 16]> {
    bytes.try_into().map_err(|_| unexpected(operation))
}
