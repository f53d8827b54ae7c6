//! Parses the URL of a Redis.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token_cache_redis::RedisConfig;

fuzz_target!(|text: &str| {
    for scheme in token_cache_redis::SCHEMES {
        let _ = RedisConfig::from_url(&format!("{scheme}:{text}"));
    }
    let _ = RedisConfig::from_url(text);
});
