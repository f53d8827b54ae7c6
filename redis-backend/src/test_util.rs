//! For fuzzing: what reads the bytes that lie in a Redis, or come over its channels.

use token_cache_core::SessionId;

use crate::{backplane::message, cursor, record};

/// Reads bytes as each of the records that a Redis holds, and as a scan's position. It must come back, whatever they are.
pub fn decode_all(bytes: &[u8]) {
    let _ = record::decode_session(SessionId::from_bytes([0; 16]), bytes);
    let _ = record::decode_entry(bytes.to_vec());
    let _ = record::decode_namespace(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = cursor::parse(text);
    }
}

/// Reads bytes as a message of the backplane. It must come back, whatever they are.
pub fn decode_message(bytes: &[u8]) {
    let _ = message::decode(bytes);
}
