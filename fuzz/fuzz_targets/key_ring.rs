//! Parses the configuration of a key ring.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token_cache_core::KeyRing;

fuzz_target!(|text: &str| {
    if let Err(error) = text.parse::<KeyRing>() {
        // Errors contain no word that is long enough to be a key.
        let printed = format!("{error} {error:?}");
        let words = text.split(|letter: char| letter.is_whitespace() || letter == ',');
        for word in words.filter(|word| word.len() > 40) {
            assert!(!printed.contains(word));
        }
    }
});
