//! The attacker of the tests on real stores finds what can be found, so that those tests are meaningful.

use token_cache_core::{
    Entry, EntryAddress, MemoryStore, Timestamp, TokenSet, Version,
    test_util::{EntrySealer, OfflineAttacker},
};

use crate::sealing::{api, of_secret, sealed, secret, server, signed_in};

fn with_a_known_ticket_secret() -> (EntryAddress, Entry) {
    let account = token_cache_core::AccountKey::new(
        token_cache_core::IssuerKey::from_bytes([1; 16]),
        [2; 16],
    );
    let at = EntryAddress::new(
        account,
        token_cache_core::SessionId::from_bytes([3; 16]),
        token_cache_core::EntryName::from_bytes([4; 16]),
    );
    let entry = Entry::new(
        b"tokens".as_slice(),
        Version::from_bytes([5; 8]),
        Timestamp::from_secs(1),
    );
    let sealed = EntrySealer::new(&secret(), *b"\xffsecret of tests")
        .seal(&at, &entry)
        .unwrap();
    (at, sealed)
}

#[test]
fn a_ticket_secret_in_a_store_is_found_in_every_encoding() {
    let (at, sealed) = with_a_known_ticket_secret();
    for loot in [
        b"before \xffsecret of tests after".as_slice(),
        b"s:ff736563726574206f66207465737473:",
        b"{\"B\":\"/3NlY3JldCBvZiB0ZXN0cw==\"}",
        b"_3NlY3JldCBvZiB0ZXN0cw",
    ] {
        let mut attacker = OfflineAttacker::new(&secret());
        attacker.take(b"nothing of use to anybody");
        assert!(attacker.opens(&at, &sealed).is_none());
        attacker.take(loot);
        assert!(attacker.candidates() > 0);
        assert!(attacker.opens(&at, &sealed).is_some());
    }
}

#[tokio::test]
async fn what_lies_in_a_store_of_this_process_opens_nothing() {
    let store = MemoryStore::new();
    let cache = server(&store, of_secret()).await;
    let session = signed_in(&cache).await;
    session
        .put(&api(), TokenSet::new("at-1").unwrap())
        .await
        .unwrap();
    let (at, sealed) = sealed(&store, &session).await;
    let mut attacker = OfflineAttacker::new(&secret());
    for bytes in [
        sealed.stored(),
        sealed.version().as_bytes(),
        at.session_id().as_bytes(),
        at.name().as_bytes(),
        at.account().subject(),
        at.account().issuer().as_bytes(),
    ] {
        attacker.take(bytes);
    }
    assert!(attacker.opens(&at, &sealed).is_none());
}
