use std::sync::Arc;

use crate::{EntryAddress, Epoch, seal::SessionSecret};

/// The same address, with an epoch that stands in for the one nobody has: the suite's sessions are made of an `H(epoch)` alone,
/// and a store that seals needs an epoch, the same one for the same session.
pub fn with_stand_in_epoch(at: EntryAddress) -> EntryAddress {
    let stand_in = Epoch::from_bytes(*at.epoch().as_bytes());
    at.with_secret(Arc::new(SessionSecret::new(stand_in)))
}
