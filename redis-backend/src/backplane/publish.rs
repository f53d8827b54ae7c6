//! Publishing invalidation messages, and reading the registry with them.

use token_cache_core::{
    AccountKey, Error, ErrorKind, EvictTarget, Evicted, Invalidation, InvalidationId, LeaseHolder,
    Published, RegistryId, Result, ServerId, Timestamp,
};
use tokio::time::Instant;

use super::message;
use crate::{
    client::{Call, Idempotency, Reply, unexpected},
    error::timed_out,
    evict::{EVICT, evict_call},
    keys::{Keys, millis},
    scripts,
    store::Inner,
};

const PUBLISH: &str = "publish to the servers";

/// Evicts an account and publishes it. On one server without a wait for replicas it is one script, and otherwise two requests.
pub(crate) async fn evict(
    inner: &Inner,
    origin: ServerId,
    account: &AccountKey,
    what: EvictTarget,
    not_before_lifetime: u64,
    now: Timestamp,
) -> Result<Evicted> {
    let Inner { client, keys, .. } = inner;
    let told = Invalidation::Accounts(vec![*account]);
    if client.is_cluster() || client.replicas().is_some() {
        let call = evict_call(keys, account, what, None)
            .number(not_before_lifetime)
            .number(millis(now));
        let evicted = inner.evicted(call).await?;
        let published = publish(inner, Some(origin), &told).await;
        return Ok(evicted.published(published.map_err(Error::maybe_applied)?));
    }
    let call = evict_call(keys, account, what, Some(keys.registry()))
        .number(not_before_lifetime)
        .number(millis(now));
    let call = publishing(call, keys, Some(origin), &told)?;
    let deadline = Instant::now() + client.operation_timeout();
    let (answer, same_server) = match inner.open_connections.of(origin) {
        None => (
            client.call(EVICT, Idempotency::Idempotent, &call).await?,
            false,
        ),
        Some(pubsub) => match pubsub.send(EVICT, &call).await {
            Ok(answer) => (answer, true),
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                let usual = client.call(EVICT, Idempotency::Idempotent, &call);
                match tokio::time::timeout_at(deadline, usual).await {
                    Ok(answer) => (answer?, false),
                    Err(_) => return Err(timed_out(EVICT).maybe_applied()),
                }
            }
            Err(error) => return Err(error),
        },
    };
    let mut parts = answer.list(EVICT)?;
    let mut next = || parts.next().ok_or_else(|| unexpected(EVICT));
    let ended = next()?.number(EVICT)? == 1;
    let published = published(EVICT, next()?, same_server)?;
    Ok(Evicted::new(ended).published(published))
}

/// Publishes a message, over the connection of the origin if it has one.
pub(super) async fn publish(
    inner: &Inner,
    origin: Option<ServerId>,
    what: &Invalidation,
) -> Result<Published> {
    let Inner { client, keys, .. } = inner;
    let call = || {
        let call = Call::script(&scripts::PUBLISH, [keys.registry()]);
        publishing(call, keys, origin, what)
    };
    if let Some(pubsub) = origin.and_then(|origin| inner.open_connections.of(origin)) {
        match pubsub.confirmed(PUBLISH, call()?).await {
            Ok(answer) => return published(PUBLISH, answer, true),
            // Falls back if the connection is lost. A missing replica or a timeout is an error.
            Err(error)
                if error.kind() == ErrorKind::Unavailable
                    && (client.replicas().is_none() || !error.may_have_applied()) => {}
            Err(error) => return Err(error),
        }
    }
    let confirmed = client
        .confirmed(PUBLISH, Idempotency::Idempotent, call()?)
        .await?;
    published(PUBLISH, confirmed.answer, false)
}

fn publishing(
    call: Call,
    keys: &Keys,
    origin: Option<ServerId>,
    what: &Invalidation,
) -> Result<Call> {
    call.bytes(&keys.messages())
        .bytes(&message::message(origin, what))
        .publishing()
}

/// Decodes the reply of a script that published.
fn published(operation: &'static str, answer: Reply, same_server: bool) -> Result<Published> {
    let mut parts = answer.list(operation)?;
    let mut next = || parts.next().ok_or_else(|| unexpected(operation));
    let id = read_id(operation, next()?)?;
    let mut fields = next()?.list(operation)?;
    let (mut registry, mut holders) = (None, Vec::new());
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        let name = name.bytes(operation)?.unwrap_or_default();
        match name.split_first() {
            Some((b'i', [])) => registry = Some(read_id(operation, value)?),
            Some((b'h', server)) => {
                let server = server.try_into().map_err(|_| unexpected(operation))?;
                let value = value.bytes(operation)?.unwrap_or_default();
                let renewal = value.try_into().map_err(|_| unexpected(operation))?;
                holders.push(LeaseHolder {
                    server: ServerId::from_bytes(server),
                    renewal: u64::from_be_bytes(renewal),
                });
            }
            // A field of a later release.
            _ => {}
        }
    }
    Ok(Published {
        id: InvalidationId::from_bytes(id),
        registry: registry.filter(|_| same_server).map(RegistryId::from_bytes),
        holders,
    })
}

/// Returns the 16 bytes of a reply.
pub(super) fn read_id(operation: &'static str, answer: Reply) -> Result<[u8; 16]> {
    answer
        .bytes(operation)?
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| unexpected(operation))
}
