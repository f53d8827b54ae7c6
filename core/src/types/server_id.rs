use std::fmt;

use crate::{Result, types::entropy};

/// The id of an app server in its fleet. It is random, and new each time that a [`TokenCache`](crate::TokenCache) is opened.
///
/// By this id, the store lists the app servers that hold a near-cache lease ([`LeaseHolder`](crate::LeaseHolder)). A sign-out names the
/// servers that it waited for, in [`NearCacheOutcome::Cleared`](crate::NearCacheOutcome::Cleared).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId([u8; 16]);

impl ServerId {
    /// Creates a random id for an app server. Opening a [`TokenCache`](crate::TokenCache) calls it, so apps do not need it.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self)
    }

    /// Creates an app server's id from its 16 bytes. A store calls it when it reads the bytes from its [registry of near-cache
    /// leases](crate::RegistryId), or from a message of its [backplane](crate::Backplane).
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the 16 bytes of the app server's id. A store writes them into the messages of its [backplane](crate::Backplane) and into its
    /// [registry of near-cache leases](crate::RegistryId).
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerId({self})")
    }
}
