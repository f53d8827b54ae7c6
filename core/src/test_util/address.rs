use std::sync::Arc;

use crate::{EntryAddress, EntryKey, Result, Session, TicketSecret, crypto::SessionKeys};

/// Returns the address of the entry under `key` in `session`, with the session's ticket secret. With it, a test reads or changes the entry
/// directly in the store.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the namespace in the store has another [secret](crate::Secret) than the cache by now.
pub fn address_of(session: &Session, key: &EntryKey) -> Result<EntryAddress> {
    Ok(session.address(&session.cache().keys()?, key))
}

/// Returns the address `at` with `ticket_secret` as its ticket secret, in place of any that it had. An address of
/// [`EntryAddress::new`](crate::EntryAddress::new) has none, and a [`SealedStore`](crate::SealedStore) refuses it. With this function, a
/// test can encrypt and decrypt entries at such an address, and need not begin a session.
pub fn with_ticket_secret(at: EntryAddress, ticket_secret: [u8; 16]) -> EntryAddress {
    at.with_secret(Arc::new(SessionKeys::new(TicketSecret::from_bytes(
        ticket_secret,
    ))))
}

/// Returns the address `at` with a substitute for its session's ticket secret. The substitute is computed from the session's id, so it is
/// always the same for one session.
///
/// The conformance suite uses it. Its sessions have an id but no ticket secret, which a store that encrypts needs.
pub fn with_stand_in_secret(at: EntryAddress) -> EntryAddress {
    let stand_in = *at.session_id().as_bytes();
    with_ticket_secret(at, stand_in)
}
