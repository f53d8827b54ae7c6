use crate::{EntryAddress, EntryKey, Result, Session};

/// Returns the address of the entry under `key` in `session`. With it, a test reads or changes the entry directly in the store.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the namespace in the store has another [secret](crate::Secret) than the cache by now.
pub fn address_of(session: &Session, key: &EntryKey) -> Result<EntryAddress> {
    Ok(session.address(&session.cache().keys()?, key))
}
