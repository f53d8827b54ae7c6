//! Entries that were moved, truncated, changed or restored.

use proptest::prelude::*;
use token_cache_core::{
    AccountKey, Entry, EntryAddress, EntryName, Error, ErrorKind, IssuerKey, MemoryStore, Secret,
    SessionId, Timestamp, TokenCache, TokenSet, TokenStore, Version, WriteOptions,
    test_util::{EntrySealer, address_of},
};

use crate::sealing::{api, sealed, secret, server, signed_in};

const PLAIN: &[u8] = b"\x01{\"access_token\":\"at-1\"}";

fn here() -> EntryAddress {
    at([1; 16], [2; 16], [3; 16], [4; 16])
}

fn at(issuer: [u8; 16], subject: [u8; 16], session_id: [u8; 16], name: [u8; 16]) -> EntryAddress {
    let account = AccountKey::new(IssuerKey::from_bytes(issuer), subject);
    let (session_id, name) = (
        SessionId::from_bytes(session_id),
        EntryName::from_bytes(name),
    );
    EntryAddress::new(account, session_id, name)
}

fn entry(bytes: &[u8]) -> Entry {
    Entry::new(bytes, Version::from_bytes([6; 8]), Timestamp::from_secs(7))
}

fn sealer() -> EntrySealer {
    EntrySealer::new(&secret(), [5; 16])
}

fn refused(at: &EntryAddress, sealed: Entry) -> Error {
    sealer().open(at, sealed).unwrap_err()
}

fn is_corrupt(at: &EntryAddress, sealed: Entry) {
    assert_eq!(refused(at, sealed).kind(), ErrorKind::Corrupt);
}

#[test]
fn it_opens_where_it_was_sealed() {
    let sealed = sealer().seal(&here(), &entry(PLAIN)).unwrap();
    assert_eq!(sealed.stored().len(), PLAIN.len() + EntrySealer::OVERHEAD);
    assert!(!sealed.stored().windows(4).any(|bytes| bytes == b"at-1"));
    assert_eq!(sealer().open(&here(), sealed).unwrap(), entry(PLAIN));
}

#[test]
fn moved_to_another_issuer_account_session_or_key_it_opens_nothing() {
    let sealed = sealer().seal(&here(), &entry(PLAIN)).unwrap();
    // This attacker even has the ticket secret of the target: only the authenticated data prevents opening.
    for elsewhere in [
        at([9; 16], [2; 16], [3; 16], [4; 16]),
        at([1; 16], [9; 16], [3; 16], [4; 16]),
        at([1; 16], [2; 16], [9; 16], [4; 16]),
        at([1; 16], [2; 16], [3; 16], [9; 16]),
    ] {
        is_corrupt(&elsewhere, sealed.clone());
    }
    let other_session = sealer().of_session([9; 16]).open(&here(), sealed);
    assert_eq!(other_session.unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn old_bytes_under_another_version_open_nothing() {
    let sealed = sealer().seal(&here(), &entry(PLAIN)).unwrap();
    let newer = Version::from_bytes([7; 8]);
    is_corrupt(
        &here(),
        Entry::new(sealed.stored(), newer, sealed.expires_at()),
    );
}

#[test]
fn cut_short_anywhere_it_opens_nothing() {
    let sealed = sealer().seal(&here(), &entry(PLAIN)).unwrap();
    for length in 0..sealed.stored().len() {
        is_corrupt(&here(), entry(&sealed.stored()[..length]));
        // The rest now begins with random bytes: one time in 256 they look like an entry sealed under another key.
        let end = &sealed.stored()[sealed.stored().len() - length..];
        let looks_sealed = end.len() >= EntrySealer::OVERHEAD && end[0] == sealed.stored()[0];
        let expected = if looks_sealed {
            ErrorKind::KeyMissing
        } else {
            ErrorKind::Corrupt
        };
        assert_eq!(refused(&here(), entry(end)).kind(), expected);
    }
    is_corrupt(&here(), entry(&[sealed.stored(), &[0]].concat()));
}

#[test]
fn with_any_bit_flipped_it_opens_nothing() {
    let sealed = sealer().seal(&here(), &entry(PLAIN)).unwrap();
    for place in 0..sealed.stored().len() {
        for bit in 0..8 {
            let mut bytes = sealed.stored().to_vec();
            bytes[place] ^= 1 << bit;
            let expected = match place {
                1..5 => ErrorKind::KeyMissing,
                _ => ErrorKind::Corrupt,
            };
            assert_eq!(
                refused(&here(), entry(&bytes)).kind(),
                expected,
                "byte {place}"
            );
        }
    }
}

#[test]
fn what_was_stored_before_there_was_sealing_says_so() {
    for plain in [b"\x00bytes".as_slice(), PLAIN] {
        let error = refused(&here(), entry(plain));
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains("format version"), "{error}");
    }
}

#[test]
fn an_unknown_key_is_no_corruption_and_names_the_fix() {
    let stranger = EntrySealer::new(&Secret::random().unwrap(), [5; 16]);
    let sealed = stranger.seal(&here(), &entry(PLAIN)).unwrap();
    let error = refused(&here(), sealed);
    assert_eq!(error.kind(), ErrorKind::KeyMissing);
    assert!(error.to_string().contains("open-only"), "{error}");
    assert!(!error.is_retryable() && !error.is_signed_out());
}

proptest! {
    #[test]
    fn any_bytes_survive_sealing(bytes: Vec<u8>, account: [u8; 16], session_id: [u8; 16], name: [u8; 16]) {
        let at = at(account, account, session_id, name);
        let sealed = sealer().seal(&at, &entry(&bytes)).unwrap();
        prop_assert_eq!(sealer().open(&at, sealed).unwrap(), entry(&bytes));
    }

    #[test]
    fn bytes_that_nobody_sealed_open_nothing(bytes: Vec<u8>) {
        prop_assert!(sealer().open(&here(), entry(&bytes)).is_err());
    }
}

/// Two sessions of one account, with an entry in each. The attacker copies the first entry over the second.
async fn with_a_moved_entry(store: &MemoryStore, cache: &TokenCache) -> token_cache_core::Session {
    let (mine, theirs) = (signed_in(cache).await, signed_in(cache).await);
    for session in [&mine, &theirs] {
        session
            .put(&api(), TokenSet::new("at").unwrap())
            .await
            .unwrap();
    }
    let (_, moved) = sealed(store, &mine).await;
    let to = address_of(&theirs, &api()).unwrap();
    let options = WriteOptions::at(Timestamp::default());
    let _ = store.write(&to, moved, options).await.unwrap();
    theirs
}

#[tokio::test]
async fn a_moved_entry_is_an_error_and_never_a_miss() {
    let store = MemoryStore::new();
    let cache = server(&store, crate::sealing::of_secret()).await;
    let session = with_a_moved_entry(&store, &cache).await;
    let error = session.get(&api()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(cache.encryption_stats().corrupt, 1);
}

#[tokio::test]
async fn as_a_miss_it_is_counted_and_can_be_written_over() {
    let store = MemoryStore::new();
    let cache = TokenCache::builder(store.clone())
        .secret(secret())
        .unreadable_entries(token_cache_core::UnreadableEntries::Miss)
        .open()
        .await
        .unwrap();
    let session = with_a_moved_entry(&store, &cache).await;
    assert!(session.get(&api()).await.unwrap().is_none());
    assert_eq!(cache.encryption_stats().corrupt, 1);
    session
        .put(&api(), TokenSet::new("at-2").unwrap())
        .await
        .unwrap();
    assert!(session.get(&api()).await.unwrap().is_some());
}

#[tokio::test]
async fn the_limit_is_that_of_what_is_sealed() {
    let store = MemoryStore::new();
    let limit = store.capabilities().max_entry_bytes - EntrySealer::OVERHEAD;
    let cache = server(&store, crate::sealing::of_secret()).await;
    let session = signed_in(&cache).await;
    // One byte says how the rest is encoded. (The conformance suite shows that a value of exactly the limit is stored.)
    let error = session.put(&api(), vec![7; limit]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}
