use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use token_cache_conformance::async_trait;
use token_cache_core::{
    CutoffBound, MarkOptions, Pointed, Pointer, Result, SidIndex, SidKey, Timestamp,
};

use crate::fault::Fault;

/// Lets the entry of a `sid` expire with the session that came last.
#[derive(Default)]
pub(crate) struct ShortensItsIndex {
    ends: Mutex<HashMap<SidKey, Timestamp>>,
}

#[async_trait]
impl Fault for ShortensItsIndex {
    async fn point(&self, healthy: &dyn SidIndex, sid: &SidKey, pointer: Pointer) -> Result<()> {
        healthy.point(sid, pointer).await?;
        self.ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(*sid, pointer.ends_at);
        Ok(())
    }

    async fn set_sid_not_before(
        &self,
        healthy: &dyn SidIndex,
        sid: &SidKey,
        bound: CutoffBound,
        options: MarkOptions,
    ) -> Result<Pointed> {
        let mut pointed = healthy.set_sid_not_before(sid, bound, options).await?;
        let ends_at = self
            .ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sid)
            .copied();
        if ends_at.is_some_and(|ends_at| ends_at <= Timestamp::from_system_time(SystemTime::now()))
        {
            pointed.accounts.clear();
        }
        Ok(pointed)
    }
}
