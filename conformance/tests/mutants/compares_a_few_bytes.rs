use token_cache_conformance::async_trait;
use token_cache_core::{
    Entry, EntryAddress, EvictOptions, PutMode, PutResult, ReadOptions, Result, TokenStore,
    Version, WriteOptions,
};

use crate::fault::Fault;

/// Compares the bytes of a version from `FROM` to `TO` alone.
#[derive(Default)]
pub(crate) struct ComparesAFewBytes<const FROM: usize, const TO: usize>;

impl<const FROM: usize, const TO: usize> ComparesAFewBytes<FROM, TO> {
    /// The version that is there, if it looks like the expected one.
    async fn there(
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        expected: Version,
        options: ReadOptions,
    ) -> Version {
        match healthy.read(at, options).await {
            Ok(Some(entry))
                if entry.version().as_bytes()[FROM..TO] == expected.as_bytes()[FROM..TO] =>
            {
                entry.version()
            }
            _ => expected,
        }
    }
}

#[async_trait]
impl<const FROM: usize, const TO: usize> Fault for ComparesAFewBytes<FROM, TO> {
    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        mut options: WriteOptions,
    ) -> Result<PutResult> {
        if let PutMode::Update(expected) = options.mode {
            let read = ReadOptions::at(options.now);
            options.mode = PutMode::Update(Self::there(healthy, at, expected, read).await);
        }
        healthy.write(at, entry, options).await
    }

    async fn end_if_version(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        let read = ReadOptions::at(options.now);
        let version = Self::there(healthy, at, version, read).await;
        healthy.end_if_version(at, version, options).await
    }
}
