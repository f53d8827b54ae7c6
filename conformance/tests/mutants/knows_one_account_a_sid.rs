use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, CutoffBound, NotBeforeOptions, Result, SidAccounts, SidEntry, SidIndex, SidKey,
};

use crate::fault::Fault;

/// Keeps the account that came last under a `sid`.
#[derive(Default)]
pub(crate) struct KnowsOneAccountASid {
    last: Mutex<HashMap<SidKey, AccountKey>>,
}

#[async_trait]
impl Fault for KnowsOneAccountASid {
    async fn add(&self, healthy: &dyn SidIndex, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        healthy.add(sid, sid_entry).await?;
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(*sid, sid_entry.account);
        Ok(())
    }

    async fn set_sid_not_before(
        &self,
        healthy: &dyn SidIndex,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        let mut added = healthy.set_sid_not_before(sid, bound, options).await?;
        let last = self
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sid)
            .copied();
        added.accounts.retain(|account| Some(*account) == last);
        Ok(added)
    }
}
