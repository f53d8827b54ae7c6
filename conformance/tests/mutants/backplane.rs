//! Faults of the backplane.

use std::{
    sync::Arc, sync::Mutex, sync::PoisonError, sync::atomic::AtomicBool, sync::atomic::Ordering,
};

use token_cache_conformance::async_trait;
use token_cache_core::{
    Acknowledgement, BackplaneConnection, Error, ErrorKind, Invalidation, InvalidationId,
    InvalidationListener, InvalidationMessage, LeaseHolder, Published, RegistryId, Result,
    ServerId,
};

use crate::{
    bent_connection::Bend, bent_connection::Bent, broken_backplane::backplane_of, fault::fault,
};

type Everybody = Arc<Mutex<Vec<Arc<dyn InvalidationListener>>>>;

/// Carries each acknowledgement to every server.
#[derive(Default)]
pub(crate) struct AcknowledgesToEveryServer(Everybody);

#[derive(Debug)]
struct Shared {
    listener: Arc<dyn InvalidationListener>,
    everybody: Everybody,
}

impl InvalidationListener for Shared {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        self.listener.published(message)
    }

    fn acknowledged(&self, acknowledgement: &Acknowledgement) {
        let everybody = self
            .everybody
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for listener in everybody.iter() {
            listener.acknowledged(acknowledgement);
        }
    }
}

fault! {
    impl AcknowledgesToEveryServer {
        connect(self, healthy, server, listener) {
            let everybody = Arc::clone(&self.0);
            everybody
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Arc::clone(&listener));
            let shared = Shared {
                listener,
                everybody,
            };
            healthy.connect(server, Arc::new(shared)).await
        }
    }
}

/// Gives the first server in its registry the number one, the next the number two.
#[derive(Default)]
pub(crate) struct CountsFromOne;

fault! {
    impl CountsFromOne {
        publish(self, healthy, origin, what) {
            let mut published = healthy.publish(origin, what).await?;
            for (holder, number) in published.holders.iter_mut().zip(1..) {
                holder.renewal = number;
            }
            Ok(published)
        }
    }
}

/// Keeps servers that have left in the registry.
#[derive(Default)]
pub(crate) struct KeepsServersThatLeft;

fault! {
    impl KeepsServersThatLeft {
        connect(self, healthy, server, listener) {
            Ok(Bent::of(
                healthy.connect(server, listener).await?,
                KeepsServersThatLeft,
            ))
        }
    }
}

#[async_trait]
impl Bend for KeepsServersThatLeft {
    async fn leave(&self, _: &dyn BackplaneConnection) -> Result<()> {
        Ok(())
    }
}

/// Its connections fail after their first renewal, and don't say that they are lost.
#[derive(Default)]
pub(crate) struct NeverSaysItIsLost;

#[derive(Default)]
struct Failing(AtomicBool);

fault! {
    impl NeverSaysItIsLost {
        connect(self, healthy, server, listener) {
            let healthy = healthy.connect(server, listener).await?;
            Ok(Bent::of(healthy, Failing::default()))
        }
    }
}

#[async_trait]
impl Bend for Failing {
    async fn renew(&self, healthy: &dyn BackplaneConnection) -> Result<RegistryId> {
        if self.0.swap(true, Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "renew"));
        }
        healthy.renew().await
    }

    async fn lost(&self, _: &dyn BackplaneConnection) {
        std::future::pending::<()>().await;
    }
}

/// Tells of an invalidation message a while after renewals that came after it.
#[derive(Default)]
pub(crate) struct PublishesLate;

#[derive(Debug)]
struct Late(Arc<dyn InvalidationListener>);

impl InvalidationListener for Late {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        let (listener, message) = (Arc::clone(&self.0), message.clone());
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            listener.published(&message);
        });
        None
    }

    fn acknowledged(&self, acknowledgement: &Acknowledgement) {
        self.0.acknowledged(acknowledgement);
    }
}

fault! {
    impl PublishesLate {
        connect(self, healthy, server, listener) {
            healthy.connect(server, Arc::new(Late(listener))).await
        }
    }
}

/// Publishes a sign-out only if it ended a session.
#[derive(Default)]
pub(crate) struct PublishesOnlyWhatEnded;

fault! {
    impl PublishesOnlyWhatEnded {
        evict(self, healthy, account, target, mut options) {
            let origin = options.publish.take();
            let evicted = healthy.evict(account, target, options).await?;
            if origin.is_none() {
                return Ok(evicted);
            }
            let published = if evicted.ended {
                let what = Invalidation::Accounts(vec![*account]);
                backplane_of(healthy)?.publish(origin, what).await?
            } else {
                Published {
                    id: InvalidationId::mint()?,
                    registry: None,
                    holders: Vec::new(),
                }
            };
            Ok(evicted.published(published))
        }
    }
}

/// Publishes the first of several accounts.
#[derive(Default)]
pub(crate) struct PublishesTheFirst;

fault! {
    impl PublishesTheFirst {
        publish(self, healthy, origin, mut what) {
            if let Invalidation::Accounts(accounts) = &mut what {
                accounts.truncate(1);
            }
            healthy.publish(origin, what).await
        }
    }
}

/// Removes a server from the registry whether or not it has renewed since.
#[derive(Default)]
pub(crate) struct ReapsEveryServer(Connections);

struct Reaping(Connections);

type Connections = Arc<Mutex<Vec<(ServerId, Arc<dyn BackplaneConnection>)>>>;

fault! {
    impl ReapsEveryServer {
        connect(self, healthy, server, listener) {
            let healthy = healthy.connect(server, listener).await?;
            let all = Arc::clone(&self.0);
            all.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((server, Arc::clone(&healthy)));
            Ok(Bent::of(healthy, Reaping(all)))
        }
    }
}

#[async_trait]
impl Bend for Reaping {
    async fn reap(&self, _: &dyn BackplaneConnection, silent: &[LeaseHolder]) -> Result<()> {
        let all = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for (server, connection) in all {
            if silent.iter().any(|holder| holder.server == server) {
                connection.leave().await?;
            }
        }
        Ok(())
    }
}

/// Has another registry id for each renewal.
#[derive(Default)]
pub(crate) struct RenamesItsRegistry;

fault! {
    impl RenamesItsRegistry {
        connect(self, healthy, server, listener) {
            Ok(Bent::of(
                healthy.connect(server, listener).await?,
                RenamesItsRegistry,
            ))
        }
    }
}

#[async_trait]
impl Bend for RenamesItsRegistry {
    async fn renew(&self, healthy: &dyn BackplaneConnection) -> Result<RegistryId> {
        healthy.renew().await?;
        RegistryId::mint()
    }
}
