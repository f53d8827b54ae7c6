//! Parses stored records of a table: a session, the namespace's record and a scan's position.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| token_cache_dynamodb::test_util::decode_all(bytes));
