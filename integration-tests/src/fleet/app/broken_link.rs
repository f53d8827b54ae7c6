use std::{sync::Arc, time::Duration};

use token_cache_core::{
    Acknowledgement, Announcement, LinkConnection, Listener, Result, ServerId, TokenStore,
    local::{BootInstant, BootTime, ConnectionNumber, Holder, SystemBootTime},
};
use tokio::time::{sleep, timeout};

const AGAIN: Duration = Duration::from_millis(20);

/// A server's ear: that part of [`BrokenCopies`](super::broken_copies::BrokenCopies) is right.
#[derive(Debug)]
struct Ear {
    server: ServerId,
    holder: Arc<Holder>,
    lease: Duration,
}

impl Listener for Ear {
    fn announced(&self, announcement: &Announcement) -> Option<Acknowledgement> {
        self.holder.invalidate(&announcement.what);
        Some(Acknowledgement {
            announcement: announcement.id,
            server: self.server,
            knows: self.holder.knows(self.lease, now()),
        })
    }

    fn acknowledged(&self, _: &Acknowledgement) {}
}

/// Keeps a lease of the store, in a task of its own.
pub(super) fn keep(store: Arc<dyn TokenStore>, holder: Arc<Holder>, lease: Duration) -> Result<()> {
    let server = ServerId::mint()?;
    let ear = Arc::new(Ear {
        server,
        holder,
        lease,
    });
    tokio::spawn(async move {
        while let Some(link) = store.link() {
            let connection = ear.holder.connecting();
            let listener = Arc::clone(&ear) as Arc<dyn Listener>;
            if let Ok(Ok(opened)) = timeout(lease, link.connect(server, listener)).await {
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
async fn renew(ear: &Ear, connection: ConnectionNumber, opened: &dyn LinkConnection) {
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
