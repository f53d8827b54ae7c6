//! Background sessions: `d` the sealed ticket secret, `o` a number that grows with each that is kept, `exp` the session's end.

use async_trait::async_trait;
use token_cache_core::{
    AccountKey, BackgroundKey, BackgroundSession, BackgroundSessions, ReadOptions, Result,
};

use crate::{
    DynamoDbStore,
    client::{Idempotency, Item, Terms},
    entry::seconds,
    keys,
    record::corrupt,
};

#[async_trait]
impl BackgroundSessions for DynamoDbStore {
    /// Three requests: the session's end is read, the background session put, and then read whether the session still lives.
    async fn keep(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()> {
        let held = self.held();
        let client = &held.client;
        let operation = client.start("keep a background session");
        let session = held
            .living(
                operation,
                account,
                &background_session.session_id,
                options.now,
            )
            .await?;
        let key = held
            .keys
            .background_session(account, name, &background_session.session_id);
        let item = Item::at(&key)
            .with("d", background_session.sealed)
            .with("o", client.ascending()?)
            .with("exp", seconds(session.ends_at));
        let put = client.put(operation, Idempotency::Idempotent, item, Terms::default());
        // It has no condition to refuse it.
        let _ = put.await?;
        let alive = held.living(
            operation,
            account,
            &background_session.session_id,
            options.now,
        );
        match alive.await {
            Ok(_) => Ok(()),
            Err(refused) if refused.is_signed_out() => {
                let cleaning = client.start("remove a background session of an ended session");
                // The refusal is what the caller must hear of; what is left is found by nobody.
                let _ = client
                    .delete(cleaning, Idempotency::Idempotent, &key, Terms::default())
                    .await;
                Err(refused)
            }
            Err(error) => Err(error.maybe_applied()),
        }
    }

    /// Two requests: the head, and then the background sessions of its living sessions; one where none lives.
    async fn find(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        options: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        let held = self.held();
        let operation = held.client.start("find a background session");
        let seen = held.head(operation, &held.keys.head(account)).await?;
        let sessions = seen.sound(operation)?.sessions.into_values();
        let living: Vec<_> = sessions
            .filter(|session| !session.is_over(options.now))
            .map(|session| {
                held.keys
                    .background_session(account, name, &session.session_id)
            })
            .collect();
        let mut found = Vec::new();
        for mut item in held.client.get_all(operation, &living).await? {
            let mut read = || {
                let session_id = keys::parse_session(item.text("sk")?)?;
                Some((item.number("o")?, session_id, item.take_bytes("d")?))
            };
            let (order, session_id, sealed) =
                read().ok_or_else(|| corrupt(operation.name, "a background session"))?;
            found.push((order, BackgroundSession::new(session_id, sealed)));
        }
        found.sort_by_key(|(order, _)| std::cmp::Reverse(*order));
        Ok(found
            .into_iter()
            .map(|(_, background_session)| background_session)
            .collect())
    }
}
