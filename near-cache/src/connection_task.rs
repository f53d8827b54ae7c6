use std::{pin::pin, sync::Arc, time::Duration};

use token_cache_core::{
    BackplaneConnection, Invalidation, InvalidationListener, LeaseHolder, Result, TokenStore,
    backend::backoff,
    near_cache::{BootInstant, BootTime, FleetConfigWatch, in_time, until},
    telemetry::renew_lease,
};
use tokio::{
    sync::{mpsc, watch},
    time,
};

use crate::{
    lease::ConnectionNumber, seen_registry::SeenRegistry, server_listener::ServerListener,
    telemetry,
};

/// The timeout of a request over the backplane. A renewal has the shorter of this timeout and the lease.
const PATIENCE: Duration = Duration::from_secs(5);

const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// The timeout for leaving the registry, so that it does not delay a shutdown.
const FAREWELL: Duration = Duration::from_secs(1);

/// The task that keeps this server's backplane connection open until the cache is dropped. It renews the lease until the server gives it
/// up.
pub(super) struct ConnectionTask {
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) listener: Arc<ServerListener>,
    /// The duration of the lease. `None` without a near cache or without a backplane, and after this server has left the registry.
    pub(super) lease: Option<Duration>,
    pub(super) config: FleetConfigWatch,
    pub(super) clock: Arc<dyn BootTime>,
    /// The servers that did not acknowledge a sign-out of this server within their lease. The list is empty if the registry was new.
    pub(super) silent: mpsc::Receiver<Vec<LeaseHolder>>,
    pub(super) known: SeenRegistry,
    /// Whether this server has left the registry for good.
    pub(super) left: watch::Sender<bool>,
}

/// Why a connection is no longer used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Lost {
        was_good: bool,
    },
    /// The cache was dropped.
    Over,
}

/// A change that is asked for while no connection is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// The server gives up its lease for good. It can still sign users out and receive acknowledgements.
    Leave,
    Close,
}

impl ConnectionTask {
    pub(super) async fn run(mut self) {
        let store = Arc::clone(&self.store);
        let Some(backplane) = store.backplane() else {
            return self.age().await;
        };
        let mut attempt = 0;
        loop {
            let listener = Arc::clone(&self.listener) as Arc<dyn InvalidationListener>;
            let number = self.listener.own_lease.connecting();
            let connecting =
                time::timeout(PATIENCE, backplane.connect(self.listener.server, listener));
            let connected = tokio::select! {
                connected = connecting => connected,
                wish = self.wish() => match wish {
                    Wish::Close => return,
                    Wish::Leave => {
                        self.has_left();
                        continue;
                    }
                }
            };
            if let Ok(Ok(connection)) = connected {
                match self.stay(connection, number).await {
                    End::Over => return,
                    End::Lost { was_good } => {
                        telemetry::lease_lost();
                        if was_good {
                            attempt = 0;
                        }
                    }
                }
            }
            tokio::select! {
                () = time::sleep(backoff(FIRST_PAUSE, attempt)) => {}
                wish = self.wish() => match wish {
                    Wish::Close => return,
                    Wish::Leave => self.has_left(),
                }
            }
            attempt += 1;
        }
    }

    /// Uses a connection until it is lost. The lease ends before the store forgets the connection, so that a read over another connection
    /// leaves no near-cache entry.
    async fn stay(
        &mut self,
        connection: Arc<dyn BackplaneConnection>,
        number: ConnectionNumber,
    ) -> End {
        self.listener.own_lease.connected(number);
        self.forget_everything();
        // Silent servers of an earlier connection may come from another registry.
        while self.silent.try_recv().is_ok() {}
        let end = self.hold(&*connection, number).await;
        self.listener.own_lease.resign();
        if end == End::Over && self.lease.is_some() {
            leave(&*connection).await;
        }
        end
    }

    async fn hold(
        &mut self,
        connection: &dyn BackplaneConnection,
        number: ConnectionNumber,
    ) -> End {
        let mut was_good = false;
        let mut lost = pin!(connection.lost());
        if self.read_registry(connection, number).await.is_err() {
            return End::Lost { was_good };
        }
        let mut next_renewal = None;
        let clock = Arc::clone(&self.clock);
        loop {
            let config = self.config.see();
            if self.is_to_leave() {
                self.listener.own_lease.resign();
                leave(connection).await;
                self.has_left();
            }
            let serves_from = self.known.serves_from(&config, clock.now());
            if serves_from.is_none_or(|from| from > clock.now()) && next_renewal.take().is_some() {
                // The namespace record states a near-cache life that is too short for this server, or the store was emptied.
                self.listener.own_lease.resign();
            }
            let renews_at = match (self.lease, serves_from) {
                (Some(_), Some(from)) => Some(next_renewal.unwrap_or(from)),
                _ => None,
            };
            tokio::select! {
                () = &mut lost => return End::Lost { was_good },
                Some(silent) = self.silent.recv() => {
                    let reaped = self.reap(connection, &silent).await;
                    if reaped.is_err() || self.read_registry(connection, number).await.is_err() {
                        return End::Lost { was_good };
                    }
                }
                changed = self.config.changed() => {
                    if !changed {
                        return End::Over;
                    }
                }
                () = until_some(&*clock, renews_at) => {
                    let Some(lease) = self.lease else { continue };
                    if next_renewal.is_none() {
                        // A server that did not know of near caches yet may have signed out sessions that were read before.
                        self.forget_everything();
                    }
                    let sent = clock.now();
                    let renewed = tokio::select! {
                        () = &mut lost => return End::Lost { was_good },
                        renewed = self.renew(connection, number, lease, sent) => renewed,
                    };
                    if renewed.is_err() {
                        return End::Lost { was_good };
                    }
                    was_good = true;
                    next_renewal = Some(sent + lease / 4);
                }
            }
        }
    }

    async fn read_registry(
        &mut self,
        connection: &dyn BackplaneConnection,
        number: ConnectionNumber,
    ) -> Result<()> {
        let registry = in_time(PATIENCE, connection.registry()).await?;
        let now = self.clock.now();
        self.listener.own_lease.saw(number, registry, now);
        self.known.met(registry, now);
        Ok(())
    }

    async fn reap(
        &self,
        connection: &dyn BackplaneConnection,
        silent: &[LeaseHolder],
    ) -> Result<()> {
        if silent.is_empty() {
            return Ok(());
        }
        in_time(PATIENCE, connection.reap(silent)).await
    }

    async fn renew(
        &mut self,
        connection: &dyn BackplaneConnection,
        number: ConnectionNumber,
        lease: Duration,
        sent: BootInstant,
    ) -> Result<()> {
        let renewal = in_time(lease.min(PATIENCE), connection.renew());
        let registry = renew_lease(renewal).await?;
        let (own_lease, received) = (&self.listener.own_lease, self.clock.now());
        own_lease.renewed(number, registry, lease, sent, received);
        if self.known.met(registry, received) {
            own_lease.resign();
        }
        Ok(())
    }

    /// Runs on a store without a backplane, where near-cache entries only expire by age. They are stored once every server knows of that.
    async fn age(&mut self) {
        let clock = Arc::clone(&self.clock);
        let mut serves = false;
        loop {
            let serves_from = self.config.see().serves_from();
            if serves && serves_from.is_none_or(|from| from > clock.now()) {
                self.listener.own_lease.resign();
                serves = false;
            }
            tokio::select! {
                changed = self.config.changed() => {
                    if !changed || self.config.get().leaving {
                        return self.listener.own_lease.resign();
                    }
                }
                () = until_some(&*clock, serves_from), if !serves => {
                    self.listener.own_lease.serve_until_resigned();
                    serves = true;
                }
            }
        }
    }

    fn forget_everything(&self) {
        self.listener.drop_cached_reads(&Invalidation::Everything);
    }

    fn is_to_leave(&self) -> bool {
        self.config.get().leaving && !*self.left.borrow()
    }

    fn has_left(&mut self) {
        self.lease = None;
        self.left.send_replace(true);
    }

    /// Waits until the state of a connection that is not open must change.
    async fn wish(&mut self) -> Wish {
        loop {
            if self.is_to_leave() {
                return Wish::Leave;
            }
            if !self.config.changed().await {
                return Wish::Close;
            }
        }
    }
}

/// Removes this server from the registry. If that fails, the next sign-out waits for its lease, once.
async fn leave(connection: &dyn BackplaneConnection) {
    let _ = time::timeout(FAREWELL, connection.leave()).await;
}

/// Waits until `at` on this clock, or forever if it is `None`.
async fn until_some(clock: &dyn BootTime, at: Option<BootInstant>) {
    match at {
        Some(at) => until(clock, at).await,
        None => std::future::pending().await,
    }
}
