use std::{sync::Arc, time::Duration};

use token_cache_core::{
    Acknowledgement, BackplaneConnection, InvalidationListener, InvalidationMessage, Result,
    ServerId, TokenStore,
    near_cache::{BootInstant, BootTime, SystemBootTime},
};
use token_cache_near_cache::{ConnectionNumber, NearCacheLease};
use tokio::time::{sleep, timeout};

const AGAIN: Duration = Duration::from_millis(20);

/// The listener of a server. This part of [`BrokenNearCache`](super::broken_near_cache::BrokenNearCache) is correct.
#[derive(Debug)]
struct LeaseListener {
    server: ServerId,
    own_lease: Arc<NearCacheLease>,
    lease: Duration,
}

impl InvalidationListener for LeaseListener {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        self.own_lease.invalidate(&message.what);
        Some(Acknowledgement {
            message: message.id,
            server: self.server,
            knows: self.own_lease.knows(self.lease, now()),
        })
    }

    fn acknowledged(&self, _: &Acknowledgement) {}
}

/// Runs a task that renews a lease of the store.
pub(super) fn keep(
    store: Arc<dyn TokenStore>,
    own_lease: Arc<NearCacheLease>,
    lease: Duration,
) -> Result<()> {
    let server = ServerId::mint()?;
    let own = Arc::new(LeaseListener {
        server,
        own_lease,
        lease,
    });
    tokio::spawn(async move {
        while let Some(backplane) = store.backplane() {
            let connection = own.own_lease.connecting();
            let listener = Arc::clone(&own) as Arc<dyn InvalidationListener>;
            if let Ok(Ok(opened)) = timeout(lease, backplane.connect(server, listener)).await {
                own.own_lease.connected(connection);
                renew(&own, connection, &*opened).await;
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
async fn renew(
    own: &LeaseListener,
    connection: ConnectionNumber,
    opened: &dyn BackplaneConnection,
) {
    let LeaseListener {
        own_lease, lease, ..
    } = own;
    loop {
        let sent = now();
        let Ok(Ok(registry)) = timeout(*lease, opened.renew()).await else {
            return;
        };
        own_lease.renewed(connection, registry, *lease, sent, now());
        if timeout(*lease / 4, opened.lost()).await.is_ok() {
            return;
        }
    }
}
