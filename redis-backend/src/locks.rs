use std::time::Duration;

use async_trait::async_trait;
use token_cache_core::{
    AcquireOptions, Acquired, EntryAddress, EvictOptions, LockOwner, RefreshLocks, Result, Version,
};

use crate::{
    RedisStore,
    client::{Call, Idempotency, unexpected},
    keys::{duration_millis, entry_field, millis, session_field},
    record,
    replies::check_granted,
    scripts,
    store::Inner,
};

#[async_trait]
impl RefreshLocks for RedisStore {
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired> {
        const OPERATION: &str = "take a refresh lock";
        let Inner { client, keys, .. } = self.inner();
        let call = Call::script(
            &scripts::ACQUIRE,
            [keys.account(at.account()), keys.lock(at)],
        )
        .bytes(&session_field(at.session_id()))
        .bytes(&entry_field(at))
        .number(millis(options.now))
        .bytes(options.seen.as_ref().map_or(&[], |seen| seen.as_bytes()))
        .bytes(options.owner.as_bytes())
        .number(duration_millis(options.lease).max(1));
        // A demoted primary must not grant the lock: its successor would not know that the refresh token is used up.
        let confirmed = client
            .confirmed(OPERATION, Idempotency::Idempotent, call)
            .await?;
        let mut answer = confirmed.answer.list(OPERATION)?;
        let mut next = || answer.next().ok_or_else(|| unexpected(OPERATION));
        match next()?.number(OPERATION)? {
            2 => {
                let entry = next()?.bytes(OPERATION)?;
                let entry = entry.ok_or_else(|| unexpected(OPERATION))?;
                record::decode_entry(entry).map(Acquired::Fresher)
            }
            4 => {
                // Negative if the lease ended meanwhile.
                let left = u64::try_from(next()?.number(OPERATION)?).unwrap_or(0);
                Ok(Acquired::Busy(Duration::from_millis(left)))
            }
            answer => check_granted(OPERATION, answer).map(|()| Acquired::Held),
        }
    }

    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        const OPERATION: &str = "end a session";
        let Inner { client, keys, .. } = self.inner();
        let call = Call::script(&scripts::END_IF_VERSION, [keys.account(at.account())])
            .bytes(at.session_id().as_bytes())
            .bytes(&entry_field(at))
            .number(millis(options.now))
            .bytes(version.as_bytes());
        let confirmed = client
            .confirmed(OPERATION, Idempotency::Idempotent, call)
            .await?;
        match confirmed.answer.number(OPERATION)? {
            2 => Ok(false),
            answer => check_granted(OPERATION, answer).map(|()| true),
        }
    }

    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()> {
        const OPERATION: &str = "release a refresh lock";
        let Inner { client, keys, .. } = self.inner();
        let call = Call::script(&scripts::RELEASE, [keys.lock(at)]).bytes(owner.as_bytes());
        client
            .call(OPERATION, Idempotency::Idempotent, &call)
            .await
            .map(drop)
    }
}
