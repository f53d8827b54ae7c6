use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use token_cache_conformance::async_trait;
use token_cache_core::{
    CutoffBound, NotBeforeOptions, Result, SidAccounts, SidEntry, SidIndex, SidKey, Timestamp,
};

use crate::fault::Fault;

/// Lets the entry of a `sid` expire with the session that came last.
#[derive(Default)]
pub(crate) struct ShortensItsIndex {
    ends: Mutex<HashMap<SidKey, Timestamp>>,
}

#[async_trait]
impl Fault for ShortensItsIndex {
    async fn add(&self, healthy: &dyn SidIndex, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        healthy.add(sid, sid_entry).await?;
        self.ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(*sid, sid_entry.ends_at);
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
        let ends_at = self
            .ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sid)
            .copied();
        if ends_at.is_some_and(|ends_at| ends_at <= Timestamp::from_system_time(SystemTime::now()))
        {
            added.accounts.clear();
        }
        Ok(added)
    }
}
