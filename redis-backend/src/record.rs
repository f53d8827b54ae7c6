//! The encoding of sessions, entries and the namespace. The scripts read the same bytes.
//!
//! | record | bytes |
//! |---|---|
//! | session, namespace | those of [`token_cache_core::backend::record`] |
//! | entry | the value, its version (8), its expiry (8), 1 |
//!
//! Numbers are big-endian, times and durations in milliseconds. The version and the expiry of an entry follow the value, so that the value
//! is
//! read without a copy.

pub(crate) use token_cache_core::backend::record::encode_namespace;
use token_cache_core::{
    Entry, Error, ErrorKind, NamespaceRecord, Result, SessionId, SessionRecord, SessionTimes,
    Timestamp, Version, backend::record,
};

use crate::keys::millis;

const FORMAT: u8 = 1;

const TRAILER: usize = 17;

/// Encodes a session record. Its times are limited to those that scripts can represent.
pub(crate) fn encode_session(record: &SessionRecord) -> Vec<u8> {
    let mut record = record.clone();
    let SessionTimes {
        requested_at: store,
        auth_time: provider,
    } = &mut record.times;
    for moment in [store, provider, &mut record.ends_at] {
        *moment = Timestamp::from_millis(millis(*moment));
    }
    record::encode_session(&record)
}

pub(crate) fn decode_session(session_id: SessionId, bytes: &[u8]) -> Result<SessionRecord> {
    record::decode_session(session_id, bytes)
        .ok_or_else(|| corrupt("read a session", "a session's record"))
}

pub(crate) fn encode_entry(entry: &Entry) -> Vec<u8> {
    let value = entry.stored();
    let mut bytes = Vec::with_capacity(value.len() + TRAILER);
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(entry.version().as_bytes());
    bytes.extend_from_slice(&millis(entry.expires_at()).to_be_bytes());
    bytes.push(FORMAT);
    bytes
}

pub(crate) fn decode_entry(mut bytes: Vec<u8>) -> Result<Entry> {
    let (version, expires_at) =
        read_trailer(&bytes).ok_or_else(|| corrupt("read an entry", "an entry"))?;
    bytes.truncate(bytes.len() - TRAILER);
    Ok(Entry::new(bytes, version, expires_at))
}

fn read_trailer(bytes: &[u8]) -> Option<(Version, Timestamp)> {
    let trailer: &[u8; TRAILER] = bytes.last_chunk()?;
    let mut rest = trailer.as_slice();
    let version = Version::from_bytes(take(&mut rest)?);
    let expires_at = Timestamp::from_millis(u64::from_be_bytes(take(&mut rest)?));
    (rest == [FORMAT]).then_some((version, expires_at))
}

pub(crate) fn decode_namespace(bytes: &[u8]) -> Result<NamespaceRecord> {
    record::decode_namespace(bytes)
        .ok_or_else(|| corrupt("read the namespace", "the namespace's record"))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

pub(crate) fn corrupt(operation: &'static str, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, operation)
        .store(crate::STORE)
        .message(format!(
            "{what} cannot be read; check whether another application uses the same prefix, or a later release wrote it"
        ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::{collection::vec, prelude::*};
    use token_cache_core::{SessionKind, SidKey};

    use super::*;

    fn moment() -> impl Strategy<Value = Timestamp> {
        (0..1_u64 << 53).prop_map(Timestamp::from_millis)
    }

    prop_compose! {
        fn session()(
            session_id in any::<[u8; 16]>(),
            label in any::<Option<[u8; 16]>>(),
            store in moment(),
            provider in moment(),
            ends_at in moment(),
            on_behalf_of in any::<bool>(),
        ) -> SessionRecord {
            SessionRecord::new(
                SessionId::from_bytes(session_id),
                label.map(SidKey::from_bytes),
                SessionTimes { requested_at: store, auth_time: provider },
                ends_at,
            )
            .of_kind(if on_behalf_of {
                SessionKind::OnBehalfOf
            } else {
                SessionKind::Direct
            })
        }
    }

    proptest! {
        #[test]
        fn a_session_is_read_as_it_was_written(record in session()) {
            let read = decode_session(record.session_id, &encode_session(&record)).unwrap();
            prop_assert_eq!(read, record);
        }

        #[test]
        fn an_entry_is_read_as_it_was_written(
            value in vec(any::<u8>(), 0..300), version in any::<[u8; 8]>(), expires_at in moment(),
        ) {
            let entry = Entry::new(value, Version::from_bytes(version), expires_at);
            prop_assert!(decode_entry(encode_entry(&entry)).unwrap() == entry);
        }

        #[test]
        fn a_namespace_is_read_as_it_was_written(
            generation in any::<u64>(), check in any::<[u8; 16]>(), life in prop_oneof![Just(0), any::<u64>()],
        ) {
            let record = NamespaceRecord::new(generation, check).with_near_cache(Duration::from_millis(life));
            prop_assert_eq!(decode_namespace(&encode_namespace(&record)).unwrap(), record);
        }

        #[test]
        fn garbage_is_corrupt_never_a_panic(bytes in vec(any::<u8>(), 0..64)) {
            let session_id = SessionId::from_bytes([7; 16]);
            if let Err(error) = decode_session(session_id, &bytes) {
                prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
            }
            if let Err(error) = decode_entry(bytes.clone()) {
                prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
            }
            if let Err(error) = decode_namespace(&bytes) {
                prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
            }
        }

        #[test]
        fn a_record_cut_short_or_grown_is_corrupt(record in session(), cut in 1_usize..26) {
            let bytes = encode_session(&record);
            let short = decode_session(record.session_id, &bytes[..bytes.len() - cut]);
            // Without its `sid`, a record is shorter than its second byte says.
            prop_assert!(short.is_err());
            let mut grown = bytes;
            grown.push(0);
            prop_assert!(decode_session(record.session_id, &grown).is_err());
        }
    }
}
