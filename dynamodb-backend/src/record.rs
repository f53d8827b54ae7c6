//! The encoding of session records and of the namespace record.

pub(crate) use token_cache_core::backend::record::{
    decode_namespace, decode_session, encode_namespace, encode_session,
};
use token_cache_core::{Error, ErrorKind};

pub(crate) fn corrupt(operation: &'static str, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, operation)
        .store(crate::STORE)
        .message(format!(
            "{what} cannot be read; check whether another application uses the same prefix, or a later release wrote it"
        ))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use proptest::{collection::vec, prelude::*};
    use token_cache_core::{
        NamespaceRecord, SessionId, SessionKind, SessionRecord, SessionTimes, SidKey, Timestamp,
    };

    use super::*;

    fn moment() -> impl Strategy<Value = Timestamp> {
        prop_oneof![0..1_u64 << 42, any::<u64>()].prop_map(Timestamp::from_millis)
    }

    prop_compose! {
        pub(crate) fn session()(
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
            let read = decode_session(record.session_id, &encode_session(&record));
            prop_assert_eq!(read, Some(record));
        }

        #[test]
        fn a_namespace_is_read_as_it_was_written(
            generation in any::<u64>(), check in any::<[u8; 16]>(), life in prop_oneof![Just(0), any::<u64>()],
        ) {
            let record = NamespaceRecord::new(generation, check).with_near_cache(Duration::from_millis(life));
            prop_assert_eq!(decode_namespace(&encode_namespace(&record)), Some(record));
        }

        #[test]
        fn decoded_bytes_encode_to_the_same(bytes in vec(any::<u8>(), 0..60)) {
            let session_id = SessionId::from_bytes([7; 16]);
            if let Some(record) = decode_session(session_id, &bytes) {
                prop_assert_eq!(encode_session(&record), bytes.clone());
            }
            if let Some(record) = decode_namespace(&bytes) {
                prop_assert_eq!(encode_namespace(&record), bytes);
            }
        }

        #[test]
        fn a_truncated_record_is_refused(record in session(), cut in 1_usize..26) {
            let bytes = encode_session(&record);
            prop_assert_eq!(decode_session(record.session_id, &bytes[..bytes.len() - cut]), None);
        }
    }
}
