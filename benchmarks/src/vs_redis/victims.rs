use std::slice;

use token_cache::AccountId;

use super::{bench::Bench, keyspace::Key};
use crate::Result;

/// Accounts that live again before each turn, as copies of one that was made through the cache.
pub(super) struct Victims<'a> {
    pub(super) bench: &'a Bench,
    /// The key that they are copies of.
    pub(super) template: Key,
    pub(super) ids: Vec<AccountId>,
    pub(super) keys: Vec<Key>,
}

impl Victims<'_> {
    /// Everything as before the first sign-out: no marker of an earlier one, nothing left to free.
    pub(super) async fn revive(&self) -> Result<()> {
        let keyspace = &self.bench.keyspace;
        keyspace.clear(slice::from_ref(&self.template)).await?;
        keyspace.fill(&self.template, &self.keys).await
    }

    pub(super) async fn all_gone(&self) -> Result<()> {
        match self.bench.keyspace.existing(&self.keys).await? {
            0 => Ok(()),
            left => Err(format!("{left} accounts are still there").into()),
        }
    }
}
