use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, CutoffBound, MarkOptions, Pointed, Pointer, Result, SidIndex, SidKey,
};

use crate::fault::Fault;

/// Keeps the account that came last under a `sid`.
#[derive(Default)]
pub(crate) struct KnowsOneAccountASid {
    last: Mutex<HashMap<SidKey, AccountKey>>,
}

#[async_trait]
impl Fault for KnowsOneAccountASid {
    async fn point(&self, healthy: &dyn SidIndex, sid: &SidKey, pointer: Pointer) -> Result<()> {
        healthy.point(sid, pointer).await?;
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(*sid, pointer.account);
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
        let last = self
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sid)
            .copied();
        pointed.accounts.retain(|account| Some(*account) == last);
        Ok(pointed)
    }
}
