//! How sessions, entries and the namespace are written down. The scripts read the same bytes.
//!
//! | record | bytes |
//! |---|---|
//! | session | 1, flags (1 labelled, 2 on behalf of), place on the store's clock (8), on the provider's (8), end (8), label (16, if labelled) |
//! | entry | the value, its version (8), its expiry (8), 1 |
//! | namespace | 1, generation (8), check value (16), longest life of a local copy (8, if there are any) |
//!
//! Numbers are big-endian, moments and durations in milliseconds. The parts of an entry follow the value, so that a reader takes the value
//! without copying it.

use std::time::Duration;

use token_cache_core::{
    Entry, EpochHash, Error, ErrorKind, NamespaceRecord, Places, Result, SessionKind,
    SessionRecord, SidKey, Timestamp, Version,
};

use crate::keys::millis;

const FORMAT: u8 = 1;

const LABELLED: u8 = 1;
const ON_BEHALF_OF: u8 = 2;
const TRAILER: usize = 17;

pub(crate) fn encode_session(record: &SessionRecord) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(42);
    bytes.push(FORMAT);
    let on_behalf_of = record.kind == SessionKind::OnBehalfOf;
    bytes.push(
        (LABELLED * u8::from(record.label.is_some())) | (ON_BEHALF_OF * u8::from(on_behalf_of)),
    );
    for moment in [record.places.store, record.places.provider, record.ends_at] {
        bytes.extend_from_slice(&millis(moment).to_be_bytes());
    }
    if let Some(label) = &record.label {
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes
}

pub(crate) fn decode_session(epoch: EpochHash, bytes: &[u8]) -> Result<SessionRecord> {
    read_session(epoch, bytes).ok_or_else(|| corrupt("read a session", "a session's record"))
}

fn read_session(epoch: EpochHash, mut bytes: &[u8]) -> Option<SessionRecord> {
    let rest = &mut bytes;
    let [format, flags] = take(rest)?;
    let mut moment = || take(rest).map(|bytes| Timestamp::from_millis(u64::from_be_bytes(bytes)));
    let (store, provider, ends_at) = (moment()?, moment()?, moment()?);
    let label = match flags & LABELLED {
        0 => None,
        _ => Some(SidKey::from_bytes(take(rest)?)),
    };
    let kind = match flags & ON_BEHALF_OF {
        0 => SessionKind::Direct,
        _ => SessionKind::OnBehalfOf,
    };
    let ours = format == FORMAT && flags <= (LABELLED | ON_BEHALF_OF) && rest.is_empty();
    let places = Places { store, provider };
    ours.then(|| SessionRecord::new(epoch, label, places, ends_at).of_kind(kind))
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

pub(crate) fn encode_namespace(record: &NamespaceRecord) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    bytes.extend_from_slice(&record.generation.to_be_bytes());
    bytes.extend_from_slice(&record.check);
    if !record.longest_copy_life.is_zero() {
        let life = u64::try_from(record.longest_copy_life.as_millis()).unwrap_or(u64::MAX);
        bytes.extend_from_slice(&life.max(1).to_be_bytes());
    }
    bytes
}

pub(crate) fn decode_namespace(mut bytes: &[u8]) -> Result<NamespaceRecord> {
    let rest = &mut bytes;
    let mut read = || {
        let [format] = take(rest)?;
        let mut record = NamespaceRecord::new(u64::from_be_bytes(take(rest)?), take(rest)?);
        if !rest.is_empty() {
            // Zero is not written: a record has one spelling.
            let life = Some(u64::from_be_bytes(take(rest)?)).filter(|life| *life > 0)?;
            record = record.with_copies(Duration::from_millis(life));
        }
        (format == FORMAT && rest.is_empty()).then_some(record)
    };
    read().ok_or_else(|| corrupt("read the namespace", "the namespace's record"))
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
            "{what} is not what this release writes; is the prefix shared with something else?"
        ))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn moment() -> impl Strategy<Value = Timestamp> {
        (0..1_u64 << 53).prop_map(Timestamp::from_millis)
    }

    prop_compose! {
        fn session()(
            epoch in any::<[u8; 16]>(),
            label in any::<Option<[u8; 16]>>(),
            store in moment(),
            provider in moment(),
            ends_at in moment(),
            on_behalf_of in any::<bool>(),
        ) -> SessionRecord {
            SessionRecord::new(
                EpochHash::from_bytes(epoch),
                label.map(SidKey::from_bytes),
                Places { store, provider },
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
            let read = decode_session(record.epoch, &encode_session(&record)).unwrap();
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
            let record = NamespaceRecord::new(generation, check).with_copies(Duration::from_millis(life));
            prop_assert_eq!(decode_namespace(&encode_namespace(&record)).unwrap(), record);
        }

        #[test]
        fn garbage_is_corrupt_never_a_panic(bytes in vec(any::<u8>(), 0..64)) {
            let epoch = EpochHash::from_bytes([7; 16]);
            if let Err(error) = decode_session(epoch, &bytes) {
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
            let short = decode_session(record.epoch, &bytes[..bytes.len() - cut]);
            // Without its label, a record lacks what its second byte promises.
            prop_assert!(short.is_err());
            let mut grown = bytes;
            grown.push(0);
            prop_assert!(decode_session(record.epoch, &grown).is_err());
        }
    }
}
