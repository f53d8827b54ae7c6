use super::TokenCache;
use crate::Sealing;

impl TokenCache {
    /// What this server opened, and could not open, since it opened the cache; and how long each key of the ring has been idle.
    /// Does no I/O.
    pub fn sealing(&self) -> Sealing {
        self.0.ring.figures()
    }
}
