use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use token_cache_conformance::async_trait;
use token_cache_core::{CutoffBound, NotBeforeOptions, Result, SidAccounts, SidIndex, SidKey};

use crate::fault::Fault;

/// Returns no accounts for a `sid` whose not-before time was set before: it returned them the first time.
#[derive(Default)]
pub(crate) struct AnswersWithItsNotBefore {
    marked: Mutex<HashSet<SidKey>>,
}

#[async_trait]
impl Fault for AnswersWithItsNotBefore {
    async fn set_sid_not_before(
        &self,
        healthy: &dyn SidIndex,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        let mut added = healthy.set_sid_not_before(sid, bound, options).await?;
        if !self
            .marked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(*sid)
        {
            added.accounts.clear();
        }
        Ok(added)
    }
}
