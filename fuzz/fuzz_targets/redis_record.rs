//! Parses stored records of a Redis: a session, an entry, the namespace's record and a scan's position.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| token_cache_redis::test_util::decode_all(bytes));
