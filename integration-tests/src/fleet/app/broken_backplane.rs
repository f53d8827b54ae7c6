use std::{sync::Arc, time::Duration};

use token_cache_core::{
    Acknowledgement, BackplaneConnection, InvalidationListener, InvalidationMessage, Result,
    ServerId, TokenStore,
    near_cache::{BootInstant, BootTime, ConnectionNumber, NearCacheLease, SystemBootTime},
};
use tokio::time::{sleep, timeout};

const AGAIN: Duration = Duration::from_millis(20);

/// A server's ear: that part of [`BrokenNearCache`](super::broken_near_cache::BrokenNearCache) is right.
#[derive(Debug)]
struct Ear {
    server: ServerId,
    holder: Arc<NearCacheLease>,
    lease: Duration,
}

impl InvalidationListener for Ear {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        self.holder.invalidate(&message.what);
        Some(Acknowledgement {
            message: message.id,
            server: self.server,
            knows: self.holder.knows(self.lease, now()),
        })
    }

    fn acknowledged(&self, _: &Acknowledgement) {}
}

/// Keeps a lease of the store, in a task of its own.
pub(super) fn keep(
    store: Arc<dyn TokenStore>,
    holder: Arc<NearCacheLease>,
    lease: Duration,
) -> Result<()> {
    let server = ServerId::mint()?;
    let ear = Arc::new(Ear {
        server,
        holder,
        lease,
    });
    tokio::spawn(async move {
        while let Some(backplane) = store.backplane() {
            let connection = ear.holder.connecting();
            let listener = Arc::clone(&ear) as Arc<dyn InvalidationListener>;
            if let Ok(Ok(opened)) = timeout(lease, backplane.connect(server, listener)).await {
                ear.holder.connected(connection);
                renew(&ear, connection, &*opened).await;
            }
            sleep(AGAIN).await;
        }
    });
    Ok(())
}

pub(super) fn now() -> BootInstant {
    SystemBootTime::default().now()
}

/// Renews the lease until the connection fails.
async fn renew(ear: &Ear, connection: ConnectionNumber, opened: &dyn BackplaneConnection) {
    let Ear { holder, lease, .. } = ear;
    loop {
        let sent = now();
        let Ok(Ok(registry)) = timeout(*lease, opened.renew()).await else {
            return;
        };
        holder.renewed(connection, registry, *lease, sent, now());
        if timeout(*lease / 4, opened.lost()).await.is_ok() {
            return;
        }
    }
}
