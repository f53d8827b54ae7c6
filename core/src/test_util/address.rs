use std::sync::Arc;

use crate::{EntryAddress, EntryKey, Result, Session, TicketSecret, seal::SessionKeys};

/// Returns the address of the entry under `key` in a session, with the ticket secret. A test reads or changes the stored entry with it.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the namespace has another secret by now.
pub fn address_of(session: &Session, key: &EntryKey) -> Result<EntryAddress> {
    Ok(session.address(&session.cache().keys()?, key))
}

/// Returns the same address with these bytes as its session's ticket secret, for a [`SealedStore`](crate::SealedStore).
pub fn with_ticket_secret(at: EntryAddress, ticket_secret: [u8; 16]) -> EntryAddress {
    at.with_secret(Arc::new(SessionKeys::new(TicketSecret::from_bytes(
        ticket_secret,
    ))))
}

/// Returns the same address with a substitute for its session's ticket secret.
///
/// The sessions of the conformance suite have only a `SessionId`, while a store that encrypts needs a ticket secret. The substitute is the
/// same for the same session.
pub fn with_stand_in_secret(at: EntryAddress) -> EntryAddress {
    let stand_in = *at.session_id().as_bytes();
    with_ticket_secret(at, stand_in)
}
