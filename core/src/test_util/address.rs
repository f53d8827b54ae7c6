use std::sync::Arc;

use crate::{EntryAddress, EntryKey, Result, Session, TicketSecret, seal::SessionKeys};

/// Where a session keeps the entry under a key.
///
/// # Errors
/// [`SignedOut`](crate::ErrorKind::SignedOut) where the session is over.
pub fn address_of(session: &Session, key: &EntryKey) -> Result<EntryAddress> {
    Ok(session.address(&session.cache().keys()?, key))
}

/// The same address, with these bytes for its session's ticket secret.
pub fn with_ticket_secret(at: EntryAddress, ticket_secret: [u8; 16]) -> EntryAddress {
    at.with_secret(Arc::new(SessionKeys::new(TicketSecret::from_bytes(
        ticket_secret,
    ))))
}

/// The same address, with a stand-in for its ticket secret: the suite's sessions are made of a `SessionId` alone,
/// and a store that seals needs a ticket secret, the same one for the same session.
pub fn with_stand_in_secret(at: EntryAddress) -> EntryAddress {
    let stand_in = *at.session_id().as_bytes();
    with_ticket_secret(at, stand_in)
}
