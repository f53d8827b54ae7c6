//! Encryption of all that is stored, so that reading the store reveals nothing (G5).
//!
//! Entries are sealed under a key that is derived from two halves. One is a key of the [`KeyRing`], which every server has and no store.
//! The other is the session's ticket secret, which only the session's ticket contains. Tickets, started sign-ins and the ticket secrets
//! of background sessions are sealed under the ring alone.

mod cipher;
mod encryption_stats;
mod format;
pub(crate) mod id_key;
mod key;
mod key_ring;
mod provider;
mod ring;
pub(crate) mod sealed_text;
mod sealer;
pub(crate) mod secret;
mod session_keys;
pub(crate) mod started_sign_in;
mod text;
pub(crate) mod ticket;
mod unwrap;

pub use self::{
    encryption_stats::{EncryptionStats, KeyUse},
    key_ring::{KeyRing, RingKey},
    provider::KeyProvider,
    sealer::UnreadableEntries,
};
pub(crate) use self::{
    format::{OVERHEAD, is_of_a_later_release},
    key::Key,
    ring::Ring,
    sealer::Sealer,
    session_keys::SessionKeys,
};
