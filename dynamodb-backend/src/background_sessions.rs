//! The items of background sessions: `d` is the sealed ticket secret, `o` an increasing sequence number, `exp` the end of the session.

use async_trait::async_trait;
use token_cache_core::{
    AccountKey, BackgroundKey, BackgroundSession, BackgroundSessions, ReadOptions, Result,
};

use crate::{
    DynamoDbStore,
    client::{Expression, Idempotency, Item},
    entry::seconds,
    keys,
    record::corrupt,
};

#[async_trait]
impl BackgroundSessions for DynamoDbStore {
    /// Stores a background session, as [`BackgroundSessions::keep`] describes. It sends three requests: the first reads the end of the
    /// session, the second stores the background session, and the third reads whether the session is still live.
    async fn keep(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()> {
        let inner = self.inner();
        let client = &inner.client;
        let operation = client.start("keep a background session");
        let session = inner
            .live_session(
                operation,
                account,
                &background_session.session_id,
                options.now,
            )
            .await?;
        let key = inner
            .keys
            .background_session(account, name, &background_session.session_id);
        let item = Item::at(&key)
            .with("d", background_session.sealed)
            .with("o", client.next_sequence_number()?)
            .with("exp", seconds(session.ends_at));
        let put = client.put(
            operation,
            Idempotency::Idempotent,
            item,
            Expression::default(),
        );
        // A put without a condition is never refused.
        let _ = put.await?;
        let alive = inner.live_session(
            operation,
            account,
            &background_session.session_id,
            options.now,
        );
        match alive.await {
            Ok(_) => Ok(()),
            Err(refused) if refused.is_signed_out() => {
                let cleaning = client.start("remove a background session of an ended session");
                // The caller gets the refusal. An item that remains belongs to no live session and is never read.
                let _ = client
                    .delete(
                        cleaning,
                        Idempotency::Idempotent,
                        &key,
                        Expression::default(),
                    )
                    .await;
                Err(refused)
            }
            Err(error) => Err(error.maybe_applied()),
        }
    }

    /// Returns the background sessions of an account under a name, as [`BackgroundSessions::find`] describes. It sends two requests: the
    /// first reads the account item, and the second the background sessions of its live sessions. It sends only the first if no session is
    /// live.
    async fn find(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        options: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        let inner = self.inner();
        let operation = inner.client.start("find a background session");
        let seen = inner
            .account_item(operation, &inner.keys.account_item(account))
            .await?;
        let sessions = seen.decode_all(operation)?.sessions.into_values();
        let living: Vec<_> = sessions
            .filter(|session| !session.is_over(options.now))
            .map(|session| {
                inner
                    .keys
                    .background_session(account, name, &session.session_id)
            })
            .collect();
        let mut found = Vec::new();
        for mut item in inner.client.get_all(operation, &living).await? {
            let mut read = || {
                let session_id = keys::session_of_sort_key(item.text("sk")?)?;
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
