//! The byte formats in which the stores of this family write the records of sessions and namespaces. A new store can use them too.
//!
//! | record | bytes |
//! |---|---|
//! | session | 1, flags (1 with `sid`, 2 on behalf of), `requested_at` (8), `auth_time` (8), end (8), `sid` (16, if it has one) |
//! | namespace | 1, generation (8), check value (16), longest life of a near-cache entry (8, if an app server has a near cache) |
//!
//! The first byte, 1, is the version of the format. Lengths are in bytes, and flags are one byte. Numbers are big-endian. Times and
//! durations are in milliseconds. Decoding returns `None` if the bytes do not have the format.

use std::time::Duration;

use crate::{
    NamespaceRecord, SessionId, SessionKind, SessionRecord, SessionTimes, SidKey, Timestamp,
};

const FORMAT: u8 = 1;

const WITH_SID: u8 = 1;
const ON_BEHALF_OF: u8 = 2;

/// Returns the bytes of a session's record. A store calls it in [`TokenStore::begin`](crate::TokenStore::begin), and writes the bytes to
/// its own data. They do not contain the session's id. [`decode_session`] reads them.
pub fn encode_session(record: &SessionRecord) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(42);
    bytes.push(FORMAT);
    let on_behalf_of = record.kind == SessionKind::OnBehalfOf;
    bytes.push(
        (WITH_SID * u8::from(record.sid.is_some())) | (ON_BEHALF_OF * u8::from(on_behalf_of)),
    );
    for moment in [
        record.times.requested_at,
        record.times.auth_time,
        record.ends_at,
    ] {
        bytes.extend_from_slice(&moment.as_millis().to_be_bytes());
    }
    if let Some(sid) = &record.sid {
        bytes.extend_from_slice(sid.as_bytes());
    }
    bytes
}

/// Returns the record of the session `session_id` from the bytes of [`encode_session`]. A store calls it when it reads the bytes from its
/// own data. Returns `None` if the bytes do not have the format of such a record. The store then reports
/// [`Corrupt`](crate::ErrorKind::Corrupt).
pub fn decode_session(session_id: SessionId, mut bytes: &[u8]) -> Option<SessionRecord> {
    let rest = &mut bytes;
    let [format, flags] = take(rest)?;
    let mut moment = || take(rest).map(|bytes| Timestamp::from_millis(u64::from_be_bytes(bytes)));
    let (store, provider, ends_at) = (moment()?, moment()?, moment()?);
    let sid = match flags & WITH_SID {
        0 => None,
        _ => Some(SidKey::from_bytes(take(rest)?)),
    };
    let kind = match flags & ON_BEHALF_OF {
        0 => SessionKind::Direct,
        _ => SessionKind::OnBehalfOf,
    };
    let ours = format == FORMAT && flags <= (WITH_SID | ON_BEHALF_OF) && rest.is_empty();
    let times = SessionTimes {
        requested_at: store,
        auth_time: provider,
    };
    ours.then(|| SessionRecord::new(session_id, sid, times, ends_at).of_kind(kind))
}

/// Returns the bytes of a namespace's record. A store calls it in [`TokenStore::set_namespace`](crate::TokenStore::set_namespace), and
/// writes the bytes to its own data. [`decode_namespace`] reads them.
pub fn encode_namespace(record: &NamespaceRecord) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    bytes.extend_from_slice(&record.generation.to_be_bytes());
    bytes.extend_from_slice(&record.check);
    if !record.longest_near_cache_life.is_zero() {
        let life = u64::try_from(record.longest_near_cache_life.as_millis()).unwrap_or(u64::MAX);
        bytes.extend_from_slice(&life.max(1).to_be_bytes());
    }
    bytes
}

/// Returns the record of a namespace from the bytes of [`encode_namespace`]. A store calls it in
/// [`TokenStore::namespace`](crate::TokenStore::namespace). Returns `None` if the bytes do not have the format of such a record. The store
/// then reports [`Corrupt`](crate::ErrorKind::Corrupt).
pub fn decode_namespace(mut bytes: &[u8]) -> Option<NamespaceRecord> {
    let rest = &mut bytes;
    let [format] = take(rest)?;
    let mut record = NamespaceRecord::new(u64::from_be_bytes(take(rest)?), take(rest)?);
    if !rest.is_empty() {
        // Zero is never written, so that a record has only one encoding.
        let life = Some(u64::from_be_bytes(take(rest)?)).filter(|life| *life > 0)?;
        record = record.with_near_cache(Duration::from_millis(life));
    }
    (format == FORMAT && rest.is_empty()).then_some(record)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_that_servers_of_other_versions_write() {
        let times = SessionTimes {
            requested_at: Timestamp::from_millis(0x0102),
            auth_time: Timestamp::from_millis(0x03),
        };
        let plain = SessionRecord::new(
            SessionId::from_bytes([7; 16]),
            None,
            times,
            Timestamp::from_millis(0x04),
        );
        let moments = [
            [0, 0, 0, 0, 0, 0, 1, 2],
            [0, 0, 0, 0, 0, 0, 0, 3],
            [0, 0, 0, 0, 0, 0, 0, 4],
        ]
        .concat();
        assert_eq!(encode_session(&plain), [&[1, 0], &moments[..]].concat());
        let with_sid = SessionRecord {
            sid: Some(SidKey::from_bytes([9; 16])),
            ..plain
        }
        .of_kind(SessionKind::OnBehalfOf);
        assert_eq!(
            encode_session(&with_sid),
            [&[1, 3], &moments[..], &[9; 16]].concat()
        );

        let record = NamespaceRecord::new(5, [6; 16]);
        let bytes = [&[1, 0, 0, 0, 0, 0, 0, 0, 5], &[6; 16][..]].concat();
        assert_eq!(encode_namespace(&record), bytes);
        let with_near_cache = record.with_near_cache(Duration::from_secs(1));
        let longer = [&bytes[..], &[0, 0, 0, 0, 0, 0, 3, 232]].concat();
        assert_eq!(encode_namespace(&with_near_cache), longer);
    }
}
