//! The decoders of stored bytes, for fuzzing.

use token_cache_core::SessionId;

use crate::{cursor, record};

/// Decodes bytes as each kind of record, and as a scan position. It must return for all input.
pub fn decode_all(bytes: &[u8]) {
    let _ = record::decode_session(SessionId::from_bytes([0; 16]), bytes);
    let _ = record::decode_namespace(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = cursor::parse(text);
    }
}
