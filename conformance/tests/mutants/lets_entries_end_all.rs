use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, Entry, EntryAddress, Error, PutResult, ReadOptions, Result, SessionId,
    SessionRecord, Timestamp, TokenStore, WriteOptions,
};

use crate::fault::Fault;

/// Lets an account's record expire with its first entry.
#[derive(Default)]
pub(crate) struct LetsEntriesEndAll {
    ends: Mutex<HashMap<AccountKey, Timestamp>>,
}

#[async_trait]
impl Fault for LetsEntriesEndAll {
    async fn session(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        let now = healthy.namespace().await?.time;
        let ends = self
            .ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(account)
            .copied();
        if ends.is_some_and(|ends| ends <= now) {
            return Err(Error::signed_out("read a session"));
        }
        healthy.session(account, session_id, options).await
    }

    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        let expires_at = entry.expires_at();
        let written = healthy.write(at, entry, options).await?;
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let first = ends.entry(*at.account()).or_insert(expires_at);
        *first = expires_at.min(*first);
        Ok(written)
    }
}
