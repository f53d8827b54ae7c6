//! The decoders of stored bytes and of published messages, for fuzzing.

use token_cache_core::SessionId;

use crate::{backplane::message, cursor, record};

/// Decodes bytes as each kind of record, and as a scan position. It must return for all input.
pub fn decode_all(bytes: &[u8]) {
    let _ = record::decode_session(SessionId::from_bytes([0; 16]), bytes);
    let _ = record::decode_entry(bytes.to_vec());
    let _ = record::decode_namespace(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = cursor::parse(text);
    }
}

/// Decodes bytes as a message of the backplane. It must return for all input.
pub fn decode_message(bytes: &[u8]) {
    let _ = message::decode(bytes);
}
