//! Parses the URL of a table.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token_cache_dynamodb::DynamoDbConfig;

fuzz_target!(|text: &str| {
    for scheme in token_cache_dynamodb::SCHEMES {
        let _ = DynamoDbConfig::from_url(&format!("{scheme}:{text}"));
    }
    let _ = DynamoDbConfig::from_url(text);
});
