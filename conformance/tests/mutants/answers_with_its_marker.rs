use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use token_cache_conformance::async_trait;
use token_cache_core::{CutoffBound, MarkOptions, Pointed, Result, SidIndex, SidKey};

use crate::fault::Fault;

/// Takes its own marker for the answer: the accounts were told the first time.
#[derive(Default)]
pub(crate) struct AnswersWithItsMarker {
    marked: Mutex<HashSet<SidKey>>,
}

#[async_trait]
impl Fault for AnswersWithItsMarker {
    async fn set_sid_not_before(
        &self,
        healthy: &dyn SidIndex,
        sid: &SidKey,
        bound: CutoffBound,
        options: MarkOptions,
    ) -> Result<Pointed> {
        let mut pointed = healthy.set_sid_not_before(sid, bound, options).await?;
        if !self
            .marked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(*sid)
        {
            pointed.accounts.clear();
        }
        Ok(pointed)
    }
}
