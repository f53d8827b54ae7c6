//! The messages of the channels: a version, a kind, and fields of fixed length.
//!
//! | kind | message | fields |
//! |---|---|---|
//! | `a` | an invalidation message | the origin (optional), the accounts or everything, the id |
//! | `k` | an acknowledgement | the id of the invalidation message, the server, the registry that it knows (optional) |
//! | `m` | a barrier, which a renewal sends to its own server | random bytes |
//!
//! An optional field is the byte 1 and the field, or the byte 0.

use token_cache_core::{
    AccountKey, Acknowledgement, Invalidation, InvalidationId, InvalidationMessage, IssuerKey,
    RegistryId, ServerId,
};

const VERSION: u8 = 1;

/// The most accounts of a message. More of them are published as everything.
const MAX_ACCOUNTS: usize = 1_000;

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    InvalidationMessage(InvalidationMessage),
    Acknowledgement(Acknowledgement),
    Barrier(Barrier),
}

/// The message that a renewal sends to its own server.
pub(crate) type Barrier = [u8; 16];

/// Returns an invalidation message without its id, which each attempt appends.
pub(crate) fn message(origin: Option<ServerId>, what: &Invalidation) -> Vec<u8> {
    let mut bytes = vec![VERSION, b'a'];
    optional(&mut bytes, origin.as_ref().map(ServerId::as_bytes));
    match what {
        Invalidation::Accounts(accounts) if accounts.len() <= MAX_ACCOUNTS => {
            bytes.push(1);
            for account in accounts {
                bytes.extend_from_slice(account.issuer().as_bytes());
                bytes.extend_from_slice(account.subject());
            }
        }
        Invalidation::Accounts(_) | Invalidation::Everything => bytes.push(0),
    }
    bytes
}

pub(crate) fn acknowledgement(acknowledgement: &Acknowledgement) -> Vec<u8> {
    let Acknowledgement {
        message,
        server,
        knows,
    } = acknowledgement;
    let mut bytes = vec![VERSION, b'k'];
    bytes.extend_from_slice(message.as_bytes());
    bytes.extend_from_slice(server.as_bytes());
    optional(&mut bytes, knows.as_ref().map(RegistryId::as_bytes));
    bytes
}

pub(crate) fn barrier(barrier: &Barrier) -> Vec<u8> {
    let mut bytes = vec![VERSION, b'm'];
    bytes.extend_from_slice(barrier);
    bytes
}

/// Decodes a message. Returns `None` if it cannot be read, such as one of a later release.
pub(crate) fn decode(bytes: &[u8]) -> Option<Message> {
    let mut rest = bytes.strip_prefix(&[VERSION])?;
    let message = match take(&mut rest)? {
        [b'a'] => {
            let origin = take_optional(&mut rest).ok()?.map(ServerId::from_bytes);
            let [named] = take(&mut rest)?;
            let (accounts, id) = rest.split_last_chunk()?;
            rest = &[];
            let what = match named {
                0 if accounts.is_empty() => Invalidation::Everything,
                1 => Invalidation::Accounts(take_accounts(accounts)?),
                _ => return None,
            };
            let id = InvalidationId::from_bytes(*id);
            Message::InvalidationMessage(InvalidationMessage { id, origin, what })
        }
        [b'k'] => Message::Acknowledgement(Acknowledgement {
            message: InvalidationId::from_bytes(take(&mut rest)?),
            server: ServerId::from_bytes(take(&mut rest)?),
            knows: take_optional(&mut rest).ok()?.map(RegistryId::from_bytes),
        }),
        [b'm'] => Message::Barrier(take(&mut rest)?),
        _ => return None,
    };
    rest.is_empty().then_some(message)
}

fn optional(bytes: &mut Vec<u8>, field: Option<&[u8; 16]>) {
    match field {
        Some(field) => {
            bytes.push(1);
            bytes.extend_from_slice(field);
        }
        None => bytes.push(0),
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

/// The message cannot be read.
struct Malformed;

fn take_optional(rest: &mut &[u8]) -> Result<Option<[u8; 16]>, Malformed> {
    match take(rest) {
        Some([0]) => Ok(None),
        Some([1]) => take(rest).map(Some).ok_or(Malformed),
        _ => Err(Malformed),
    }
}

fn take_accounts(bytes: &[u8]) -> Option<Vec<AccountKey>> {
    if bytes.len() > MAX_ACCOUNTS * 32 {
        return None;
    }
    let (accounts, rest) = bytes.as_chunks::<32>();
    let account = |account: &[u8; 32]| {
        let (issuer, mut subject) = account.split_first_chunk()?;
        Some(AccountKey::new(
            IssuerKey::from_bytes(*issuer),
            take(&mut subject)?,
        ))
    };
    rest.is_empty()
        .then(|| accounts.iter().map(account).collect())?
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    fn account() -> impl Strategy<Value = AccountKey> {
        any::<([u8; 16], [u8; 16])>()
            .prop_map(|(issuer, subject)| AccountKey::new(IssuerKey::from_bytes(issuer), subject))
    }

    fn invalidation() -> impl Strategy<Value = Invalidation> {
        prop_oneof![
            Just(Invalidation::Everything),
            vec(account(), 0..5).prop_map(Invalidation::Accounts),
        ]
    }

    proptest! {
        #[test]
        fn an_invalidation_message_is_what_was_sent(
            origin in option::of(any::<[u8; 16]>()),
            what in invalidation(),
            id in any::<[u8; 16]>(),
        ) {
            let origin = origin.map(ServerId::from_bytes);
            let mut bytes = message(origin, &what);
            bytes.extend_from_slice(&id);
            let id = InvalidationId::from_bytes(id);
            let sent = Message::InvalidationMessage(InvalidationMessage { id, origin, what });
            prop_assert_eq!(decode(&bytes), Some(sent));
        }

        #[test]
        fn an_acknowledgement_is_what_was_sent(
            message in any::<[u8; 16]>(),
            server in any::<[u8; 16]>(),
            knows in option::of(any::<[u8; 16]>()),
        ) {
            let sent = Acknowledgement {
                message: InvalidationId::from_bytes(message),
                server: ServerId::from_bytes(server),
                knows: knows.map(RegistryId::from_bytes),
            };
            prop_assert_eq!(decode(&acknowledgement(&sent)), Some(Message::Acknowledgement(sent)));
        }

        #[test]
        fn a_barrier_is_what_was_sent(sent in any::<Barrier>()) {
            prop_assert_eq!(decode(&barrier(&sent)), Some(Message::Barrier(sent)));
        }

        #[test]
        fn nothing_is_read_from_what_was_cut_short(
            origin in option::of(any::<[u8; 16]>()),
            knows in option::of(any::<[u8; 16]>()),
            cut in 1_usize..16,
        ) {
            let origin = origin.map(ServerId::from_bytes);
            let mut told = message(origin, &Invalidation::Everything);
            told.extend_from_slice(&[7; 16]);
            let answered = acknowledgement(&Acknowledgement {
                message: InvalidationId::from_bytes([1; 16]),
                server: ServerId::from_bytes([2; 16]),
                knows: knows.map(RegistryId::from_bytes),
            });
            for bytes in [told, answered, barrier(&[3; 16])] {
                prop_assert_eq!(decode(&bytes[..bytes.len() - cut]), None);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn too_many_accounts_are_everything() {
        let account = AccountKey::new(IssuerKey::from_bytes([1; 16]), [2; 16]);
        for (accounts, everything) in [(MAX_ACCOUNTS, false), (MAX_ACCOUNTS + 1, true)] {
            let what = Invalidation::Accounts(vec![account; accounts]);
            let mut bytes = message(None, &what);
            bytes.extend_from_slice(&[9; 16]);
            let Some(Message::InvalidationMessage(read)) = decode(&bytes) else {
                panic!("{accounts} accounts are no invalidation message");
            };
            assert_eq!(read.what == Invalidation::Everything, everything);
        }
    }
}
