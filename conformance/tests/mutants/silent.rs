//! Stores that never answer.

use token_cache_conformance::async_trait;
use token_cache_core::{Entry, EntryAddress, ReadOptions, Result, TokenStore};

use crate::fault::Fault;

/// Never answers a read.
#[derive(Default)]
pub(crate) struct NeverAnswers;

#[async_trait]
impl Fault for NeverAnswers {
    async fn read(
        &self,
        _: &dyn TokenStore,
        _: &EntryAddress,
        _: ReadOptions,
    ) -> Result<Option<Entry>> {
        std::future::pending().await
    }
}

/// Blocks its thread in a read, for longer than any test runs.
#[derive(Default)]
pub(crate) struct BlocksItsThread;

#[async_trait]
impl Fault for BlocksItsThread {
    async fn read(
        &self,
        _: &dyn TokenStore,
        _: &EntryAddress,
        _: ReadOptions,
    ) -> Result<Option<Entry>> {
        loop {
            std::thread::park();
        }
    }
}
