use async_trait::async_trait;
use token_cache_core::{AccountKey, Escrow, EscrowName, Escrowed, ReadOptions, Result, SessionId};

use crate::{
    RedisStore,
    answers::{granted, hash, pairs},
    client::{Call, Idempotency},
    keys::{escrow_field, millis},
    scripts,
    store::Held,
};

#[async_trait]
impl Escrow for RedisStore {
    async fn keep(
        &self,
        account: &AccountKey,
        name: &EscrowName,
        escrowed: Escrowed,
        options: ReadOptions,
    ) -> Result<()> {
        const OPERATION: &str = "keep an escrow";
        let Held { client, keys, .. } = self.held();
        let call = Call::script(&scripts::KEEP, [keys.account(account)])
            .bytes(&escrow_field(name))
            .bytes(escrowed.session_id.as_bytes())
            .bytes(&escrowed.sealed)
            .number(millis(options.now));
        let answer = client
            .call(OPERATION, Idempotency::Idempotent, &call)
            .await?;
        granted(OPERATION, answer.number(OPERATION)?)
    }

    async fn find(
        &self,
        account: &AccountKey,
        name: &EscrowName,
        options: ReadOptions,
    ) -> Result<Vec<Escrowed>> {
        const OPERATION: &str = "find an escrow";
        let Held { client, keys, .. } = self.held();
        let call = Call::script(&scripts::FIND, [keys.account(account)])
            .bytes(&escrow_field(name))
            .number(millis(options.now));
        let answer = client.call(OPERATION, Idempotency::Read, &call).await?;
        pairs(OPERATION, answer)?
            .into_iter()
            .map(|(session_id, sealed)| {
                let session_id = SessionId::from_bytes(hash(OPERATION, &session_id)?);
                Ok(Escrowed::new(session_id, sealed))
            })
            .collect()
    }
}
