use async_trait::async_trait;
use token_cache_core::{
    AccountKey, BackgroundKey, BackgroundSession, BackgroundSessions, ReadOptions, Result,
    SessionId,
};

use crate::{
    RedisStore,
    client::{Call, Idempotency},
    keys::{background_field, millis},
    replies::{check_granted, hash, pairs},
    scripts,
    store::Inner,
};

#[async_trait]
impl BackgroundSessions for RedisStore {
    async fn keep(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()> {
        const OPERATION: &str = "keep a background session";
        let Inner { client, keys, .. } = self.inner();
        let call = Call::script(&scripts::STORE_BACKGROUND_SESSION, [keys.account(account)])
            .bytes(&background_field(name))
            .bytes(background_session.session_id.as_bytes())
            .bytes(&background_session.sealed)
            .number(millis(options.now));
        let answer = client
            .call(OPERATION, Idempotency::Idempotent, &call)
            .await?;
        check_granted(OPERATION, answer.number(OPERATION)?)
    }

    async fn find(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        options: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        const OPERATION: &str = "find a background session";
        let Inner { client, keys, .. } = self.inner();
        let call = Call::script(&scripts::FIND_BACKGROUND_SESSIONS, [keys.account(account)])
            .bytes(&background_field(name))
            .number(millis(options.now));
        let answer = client.call(OPERATION, Idempotency::Read, &call).await?;
        pairs(OPERATION, answer)?
            .into_iter()
            .map(|(session_id, sealed)| {
                let session_id = SessionId::from_bytes(hash(OPERATION, &session_id)?);
                Ok(BackgroundSession::new(session_id, sealed))
            })
            .collect()
    }
}
