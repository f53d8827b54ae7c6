//! What an operator writes for a key ring.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token_cache_core::KeyRing;

fuzz_target!(|text: &str| {
    if let Err(error) = text.parse::<KeyRing>() {
        // A word long enough to be a key is in no error.
        let printed = format!("{error} {error:?}");
        let words = text.split(|letter: char| letter.is_whitespace() || letter == ',');
        for word in words.filter(|word| word.len() > 40) {
            assert!(!printed.contains(word));
        }
    }
});
