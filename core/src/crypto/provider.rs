use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use secrecy::SecretSlice;

use crate::Result;

#[doc = include_str!("provider.md")]
///
#[doc = "```"]
#[doc = include_str!("../../docs/key_provider.rs")]
#[doc = "```"]
#[async_trait]
pub trait KeyProvider: Debug + Send + Sync + 'static {
    /// Decrypts the wrapped key `wrapped`, which has the name `name` in the key ring. Returns the bytes of the key, at least 32. Opening a
    /// cache calls it, and replacing its key ring.
    ///
    /// # Errors
    /// The failures of the provider. Opening the cache then fails, and replacing its key ring leaves the present ring in use. The same
    /// happens if the returned key has fewer than 32 bytes, or if all its bytes are equal.
    async fn unwrap_key(&self, name: &str, wrapped: &[u8]) -> Result<SecretSlice<u8>>;
}

#[async_trait]
impl<P: KeyProvider + ?Sized> KeyProvider for Arc<P> {
    async fn unwrap_key(&self, name: &str, wrapped: &[u8]) -> Result<SecretSlice<u8>> {
        (**self).unwrap_key(name, wrapped).await
    }
}
