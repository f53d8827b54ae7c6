//! The body of a provider's token response.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token_cache_core::{EntryValue, Timestamp, TokenSet};

fuzz_target!(|body: &[u8]| {
    if let Ok(tokens) = TokenSet::from_json(body, Timestamp::from_secs(1_700_000_000)) {
        assert!(EntryValue::try_from(&tokens).is_ok());
        assert!(!format!("{tokens:?}").is_empty());
    }
});
