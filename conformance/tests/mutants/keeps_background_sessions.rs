use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, BackgroundKey, BackgroundSession, BackgroundSessions, ReadOptions, Result,
};

use crate::fault::Fault;

/// Keeps background sessions apart from the sessions they are of.
#[derive(Default)]
pub(crate) struct KeepsBackgroundSessions {
    background_sessions: Mutex<HashMap<(AccountKey, BackgroundKey), Vec<BackgroundSession>>>,
}

#[async_trait]
impl Fault for KeepsBackgroundSessions {
    async fn keep(
        &self,
        healthy: &dyn BackgroundSessions,
        account: &AccountKey,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()> {
        healthy
            .keep(account, name, background_session.clone(), options)
            .await?;
        let mut background_sessions = self
            .background_sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        background_sessions
            .entry((*account, *name))
            .or_default()
            .insert(0, background_session);
        Ok(())
    }

    async fn find(
        &self,
        _: &dyn BackgroundSessions,
        account: &AccountKey,
        name: &BackgroundKey,
        _: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        let background_sessions = self
            .background_sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(background_sessions
            .get(&(*account, *name))
            .cloned()
            .unwrap_or_default())
    }
}
