//! Announcements, and the registry that is read with them.

use token_cache_core::{
    AccountKey, Announced, AnnouncementId, Error, ErrorKind, EvictTarget, Evicted, Invalidation,
    LeaseHolder, RegistryId, Result, ServerId, Timestamp,
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

const ANNOUNCE: &str = "announce to the servers";

/// Cuts an account and announces it: in one step where all keys are one server's and nobody waits for replicas, else in two.
pub(crate) async fn evict(
    inner: &Inner,
    signer: ServerId,
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
        let announced = announce(inner, Some(signer), &told).await;
        return Ok(evicted.announced(announced.map_err(Error::maybe_applied)?));
    }
    let call = evict_call(keys, account, what, Some(keys.registry()))
        .number(not_before_lifetime)
        .number(millis(now));
    let call = announcing(call, keys, Some(signer), &told)?;
    let deadline = Instant::now() + client.operation_timeout();
    let (answer, same_server) = match inner.links.of(signer) {
        None => (
            client.call(EVICT, Idempotency::Idempotent, &call).await?,
            false,
        ),
        Some(wire) => match wire.send(EVICT, &call).await {
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
    let announced = announced(EVICT, next()?, same_server)?;
    Ok(Evicted::new(ended).announced(announced))
}

/// Announces alone, over the signer's link where it has one.
pub(super) async fn announce(
    inner: &Inner,
    signer: Option<ServerId>,
    what: &Invalidation,
) -> Result<Announced> {
    let Inner { client, keys, .. } = inner;
    let call = || {
        let call = Call::script(&scripts::ANNOUNCE, [keys.registry()]);
        announcing(call, keys, signer, what)
    };
    if let Some(wire) = signer.and_then(|signer| inner.links.of(signer)) {
        match wire.confirmed(ANNOUNCE, call()?).await {
            Ok(answer) => return announced(ANNOUNCE, answer, true),
            // A lost link is no reason to fail; a replica that is missing, or an answer that took too long, is.
            Err(error)
                if error.kind() == ErrorKind::Unavailable
                    && (client.replicas().is_none() || !error.may_have_applied()) => {}
            Err(error) => return Err(error),
        }
    }
    let confirmed = client
        .confirmed(ANNOUNCE, Idempotency::Idempotent, call()?)
        .await?;
    announced(ANNOUNCE, confirmed.answer, false)
}

fn announcing(
    call: Call,
    keys: &Keys,
    signer: Option<ServerId>,
    what: &Invalidation,
) -> Result<Call> {
    call.bytes(&keys.announcements())
        .bytes(&message::announcement(signer, what))
        .announcing()
}

/// Reads the answer of a script that announced.
fn announced(operation: &'static str, answer: Reply, same_server: bool) -> Result<Announced> {
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
            // What a later release keeps there.
            _ => {}
        }
    }
    Ok(Announced {
        id: AnnouncementId::from_bytes(id),
        registry: registry.filter(|_| same_server).map(RegistryId::from_bytes),
        holders,
    })
}

/// Sixteen bytes of an answer.
pub(super) fn read_id(operation: &'static str, answer: Reply) -> Result<[u8; 16]> {
    answer
        .bytes(operation)?
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| unexpected(operation))
}
