use std::sync::Arc;

use crate::{EntryAddress, EntryKey, Epoch, Result, Session, seal::SessionSecret};

/// Where a session keeps the entry under a key.
///
/// # Errors
/// [`SignedOut`](crate::ErrorKind::SignedOut) where the session is over.
pub fn address_of(session: &Session, key: &EntryKey) -> Result<EntryAddress> {
    Ok(session.address(&session.cache().keys()?, key))
}

/// The same address, with these bytes for its session's epoch.
pub fn with_epoch(at: EntryAddress, epoch: [u8; 16]) -> EntryAddress {
    at.with_secret(Arc::new(SessionSecret::new(Epoch::from_bytes(epoch))))
}

/// The same address, with an epoch that stands in for the one nobody has: the suite's sessions are made of an `H(epoch)` alone,
/// and a store that seals needs an epoch, the same one for the same session.
pub fn with_stand_in_epoch(at: EntryAddress) -> EntryAddress {
    let stand_in = *at.epoch().as_bytes();
    with_epoch(at, stand_in)
}
