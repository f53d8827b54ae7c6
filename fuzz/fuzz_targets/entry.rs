//! Parses the decrypted bytes of an entry.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token_cache_core::{Entry, EntryValue, Timestamp, Version};

fuzz_target!(|bytes: &[u8]| {
    let entry = Entry::new(bytes, Version::from_bytes([1; 8]), Timestamp::from_secs(1));
    let _ = entry.bytes();
    if let Ok(tokens) = entry.tokens() {
        assert!(EntryValue::try_from(&tokens).is_ok());
    }
});
