//! How a session and the namespace are written down, as bytes.
//!
//! | record | bytes |
//! |---|---|
//! | session | 1, flags (1 labelled, 2 on behalf of), place on the store's clock (8), on the provider's (8), end (8), label (16, if labelled) |
//! | namespace | 1, generation (8), check value (16), longest life of a local copy (8, if there are any) |
//!
//! Numbers are big-endian, moments and durations in milliseconds.

use std::time::Duration;

use token_cache_core::{
    EpochHash, Error, ErrorKind, NamespaceRecord, Places, SessionKind, SessionRecord, SidKey,
    Timestamp,
};

const FORMAT: u8 = 1;

const LABELLED: u8 = 1;
const ON_BEHALF_OF: u8 = 2;

pub(crate) fn encode_session(record: &SessionRecord) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(42);
    bytes.push(FORMAT);
    let on_behalf_of = record.kind == SessionKind::OnBehalfOf;
    bytes.push(
        (LABELLED * u8::from(record.label.is_some())) | (ON_BEHALF_OF * u8::from(on_behalf_of)),
    );
    for moment in [record.places.store, record.places.provider, record.ends_at] {
        bytes.extend_from_slice(&moment.as_millis().to_be_bytes());
    }
    if let Some(label) = &record.label {
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes
}

pub(crate) fn decode_session(epoch: EpochHash, mut bytes: &[u8]) -> Option<SessionRecord> {
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

pub(crate) fn decode_namespace(mut bytes: &[u8]) -> Option<NamespaceRecord> {
    let rest = &mut bytes;
    let [format] = take(rest)?;
    let mut record = NamespaceRecord::new(u64::from_be_bytes(take(rest)?), take(rest)?);
    if !rest.is_empty() {
        // Zero is not written: a record has one spelling.
        let life = Some(u64::from_be_bytes(take(rest)?)).filter(|life| *life > 0)?;
        record = record.with_copies(Duration::from_millis(life));
    }
    (format == FORMAT && rest.is_empty()).then_some(record)
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
pub(crate) mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn moment() -> impl Strategy<Value = Timestamp> {
        prop_oneof![0..1_u64 << 42, any::<u64>()].prop_map(Timestamp::from_millis)
    }

    prop_compose! {
        pub(crate) fn session()(
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
            let read = decode_session(record.epoch, &encode_session(&record));
            prop_assert_eq!(read, Some(record));
        }

        #[test]
        fn a_namespace_is_read_as_it_was_written(
            generation in any::<u64>(), check in any::<[u8; 16]>(), life in prop_oneof![Just(0), any::<u64>()],
        ) {
            let record = NamespaceRecord::new(generation, check).with_copies(Duration::from_millis(life));
            prop_assert_eq!(decode_namespace(&encode_namespace(&record)), Some(record));
        }

        #[test]
        fn bytes_that_are_not_ours_are_told(bytes in vec(any::<u8>(), 0..60)) {
            let epoch = EpochHash::from_bytes([7; 16]);
            if let Some(record) = decode_session(epoch, &bytes) {
                prop_assert_eq!(encode_session(&record), bytes.clone());
            }
            if let Some(record) = decode_namespace(&bytes) {
                prop_assert_eq!(encode_namespace(&record), bytes);
            }
        }

        #[test]
        fn a_record_cut_short_is_told(record in session(), cut in 1_usize..26) {
            let bytes = encode_session(&record);
            prop_assert_eq!(decode_session(record.epoch, &bytes[..bytes.len() - cut]), None);
        }
    }
}
