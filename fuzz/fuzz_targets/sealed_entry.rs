//! Decrypts stored bytes of an entry.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use token_cache_core::{
    AccountKey, Entry, EntryAddress, EntryName, IssuerKey, Secret, SessionId, Timestamp, Version,
    test_util::EntrySealer,
};

static SEALER: LazyLock<EntrySealer> = LazyLock::new(|| {
    let secret = Secret::new(*b"the secret that fuzzers all know").expect("the secret is valid");
    EntrySealer::new(&secret, [5; 16])
});

fuzz_target!(|bytes: &[u8]| {
    let account = AccountKey::new(IssuerKey::from_bytes([1; 16]), [2; 16]);
    let (session_id, name) = (
        SessionId::from_bytes([3; 16]),
        EntryName::from_bytes([4; 16]),
    );
    let at = EntryAddress::new(account, session_id, name);
    let entry =
        |bytes: &[u8]| Entry::new(bytes, Version::from_bytes([6; 8]), Timestamp::from_secs(7));
    assert!(
        SEALER.open(&at, entry(bytes)).is_err(),
        "it was not encrypted with the key"
    );
    let sealed = SEALER.seal(&at, &entry(bytes)).expect("sealed bytes");
    assert!(
        SEALER
            .open(&at, sealed)
            .is_ok_and(|opened| opened == entry(bytes))
    );
});
