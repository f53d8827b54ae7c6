use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use token_cache_core::{BackplaneConnection, LeaseHolder, RegistryId, Result, ServerId};

use super::{message, publish, subscriber::Barriers};
use crate::{
    client::{Call, PubSubConnection, connection_lost},
    error::timed_out,
    keys::Keys,
    scripts,
};

const RENEW: &str = "renew the lease";
const REGISTRY: &str = "read the registry";

/// An open connection of a server to the backplane.
pub(super) struct Connection {
    pub(super) pubsub: Arc<PubSubConnection>,
    pub(super) keys: Keys,
    pub(super) server: ServerId,
    pub(super) barriers: Arc<Barriers>,
    /// Random. With the number of the renewal it identifies a renewal.
    pub(super) nonce: [u8; 8],
    pub(super) renewals: AtomicU64,
    pub(super) timeout: Duration,
}

impl Connection {
    async fn wait_for(&self, barrier: tokio::sync::oneshot::Receiver<()>) -> Result<()> {
        tokio::select! {
            biased;
            () = self.pubsub.lost() => Err(connection_lost(RENEW)),
            arrived = tokio::time::timeout(self.timeout, barrier) => match arrived {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(connection_lost(RENEW)),
                Err(_) => {
                    self.pubsub.mark_broken();
                    Err(timed_out(RENEW).maybe_applied())
                }
            },
        }
    }
}

#[async_trait]
impl BackplaneConnection for Connection {
    async fn renew(&self) -> Result<RegistryId> {
        let renewal = self.renewals.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut barrier = [0; 16];
        barrier[..8].copy_from_slice(&self.nonce);
        barrier[8..].copy_from_slice(&renewal);
        let arrived = self.barriers.expect(barrier);
        let call = Call::script(&scripts::RENEW, [self.keys.registry()])
            .bytes(RegistryId::mint()?.as_bytes())
            .bytes(&holder_field(&self.server))
            .bytes(&renewal)
            .bytes(&self.keys.own_channel(&self.server))
            .bytes(&message::barrier(&barrier));
        let answer = self.pubsub.confirmed(RENEW, call).await?;
        let registry = publish::read_id(RENEW, answer)?;
        self.wait_for(arrived).await?;
        Ok(RegistryId::from_bytes(registry))
    }

    async fn registry(&self) -> Result<RegistryId> {
        let call = Call::script(&scripts::REGISTRY, [self.keys.registry()])
            .bytes(RegistryId::mint()?.as_bytes());
        let answer = self.pubsub.send(REGISTRY, &call).await?;
        publish::read_id(REGISTRY, answer).map(RegistryId::from_bytes)
    }

    async fn reap(&self, silent: &[LeaseHolder]) -> Result<()> {
        if silent.is_empty() {
            return Ok(());
        }
        let mut call = Call::script(&scripts::REAP, [self.keys.registry()]);
        for LeaseHolder { server, renewal } in silent {
            call = call
                .bytes(&holder_field(server))
                .bytes(&renewal.to_be_bytes());
        }
        self.pubsub
            .send("remove silent servers", &call)
            .await
            .map(drop)
    }

    async fn leave(&self) -> Result<()> {
        let call = Call::command("HDEL", self.keys.registry()).bytes(&holder_field(&self.server));
        self.pubsub.send("give up the lease", &call).await.map(drop)
    }

    async fn lost(&self) {
        self.pubsub.lost().await;
    }
}

/// Returns the field of a server in the registry.
fn holder_field(server: &ServerId) -> [u8; 17] {
    let mut field = [b'h'; 17];
    field[1..].copy_from_slice(server.as_bytes());
    field
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.pubsub.mark_broken();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
