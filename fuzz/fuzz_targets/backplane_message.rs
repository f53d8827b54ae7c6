//! Messages in the channels of Redis are parsed or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| token_cache_redis::test_util::decode_message(bytes));
