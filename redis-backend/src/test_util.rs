//! Functions for fuzz tests: they call the decoders of the bytes that the store reads from Redis. Only with the feature `test-util`.

use token_cache_core::SessionId;

use crate::{backplane::message, cursor, record};

/// Decodes `bytes` as a session, as an entry, as the record of a namespace, and as the cursor of a list of accounts. The results are
/// dropped. A fuzz test calls it with arbitrary bytes: it must return for each of them, without a panic. An app does not need it.
pub fn decode_all(bytes: &[u8]) {
    let _ = record::decode_session(SessionId::from_bytes([0; 16]), bytes);
    let _ = record::decode_entry(bytes.to_vec());
    let _ = record::decode_namespace(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = cursor::parse(text);
    }
}

/// Decodes `bytes` as a message of the [`Backplane`](token_cache_core::Backplane). The result is dropped. A fuzz test calls it with
/// arbitrary bytes: it must return for each of them, without a panic. An app does not need it.
pub fn decode_message(bytes: &[u8]) {
    let _ = message::decode(bytes);
}
