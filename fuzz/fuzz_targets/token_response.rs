//! What a provider answers for a token response.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token_cache_core::{Timestamp, TokenSet, Value};

fuzz_target!(|bytes: &[u8]| {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) else {
        return;
    };
    if let Ok(tokens) = TokenSet::from_response(&json, Timestamp::from_secs(1_700_000_000)) {
        assert!(Value::try_from(&tokens).is_ok());
        assert!(!format!("{tokens:?}").is_empty());
    }
});
