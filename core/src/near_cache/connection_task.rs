use std::{pin::pin, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time,
};

use super::{
    BootInstant, BootTime, ConnectionNumber, fleet_config::FleetConfig,
    seen_registry::SeenRegistry, server_listener::ServerListener,
};
use crate::{
    BackplaneConnection, Error, ErrorKind, Invalidation, InvalidationListener, LeaseHolder, Result,
    TokenStore,
    backend::backoff,
    telemetry::{self, About, Operation, observe},
};

/// How long a request of the backplane may take, where the lease is no shorter.
const PATIENCE: Duration = Duration::from_secs(5);

const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// How long leaving the registry may hold a shutdown up.
const FAREWELL: Duration = Duration::from_secs(1);

/// Keeps this server's backplane connection open until the cache is dropped, and its lease running until it leaves.
pub(super) struct ConnectionTask {
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) listener: Arc<ServerListener>,
    /// How long its lease is; none where it keeps no copies.
    pub(super) lease: Option<Duration>,
    pub(super) config: watch::Receiver<FleetConfig>,
    pub(super) clock: Arc<dyn BootTime>,
    /// Who did not answer a sign-out of this server's within its lease; nobody, where the registry was young.
    pub(super) silent: mpsc::Receiver<Vec<LeaseHolder>>,
    pub(super) known: SeenRegistry,
    /// Whether this server is in no registry any more, and never will be again.
    pub(super) left: watch::Sender<bool>,
}

/// Why a connection is used no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Lost {
        was_good: bool,
    },
    /// The cache is dropped.
    Over,
}

/// What is to become of the backplane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// The server gives its lease up, for good. It goes on signing out, and hears who answers.
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

    /// Uses a connection for as long as it lasts. The lease that it brought ends with it, before the store forgets the connection: a
    /// read that goes another way then leaves no copy.
    async fn stay(
        &mut self,
        connection: Arc<dyn BackplaneConnection>,
        number: ConnectionNumber,
    ) -> End {
        self.listener.own_lease.connected(number);
        self.forget_everything();
        // Those who were silent on an earlier connection may have been counted by another registry.
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
            let config = *self.config.borrow_and_update();
            if self.is_to_leave() {
                self.listener.own_lease.resign();
                leave(connection).await;
                self.has_left();
            }
            let serves_from = self.known.serves_from(&config, clock.now());
            if serves_from.is_none_or(|from| from > clock.now()) && next_renewal.take().is_some() {
                // The record was found to say too little of this server's copies, or to be that of a store that was emptied.
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
                    if changed.is_err() {
                        return End::Over;
                    }
                }
                () = until(&*clock, renews_at) => {
                    let Some(lease) = self.lease else { continue };
                    if next_renewal.is_none() {
                        // What was read before may have been signed out by a server that did not know of copies yet.
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
        let about = About::default();
        let registry = observe(Operation::RenewLease, about, renewal, |_| "renewed").await?;
        let (own_lease, received) = (&self.listener.own_lease, self.clock.now());
        own_lease.renewed(number, registry, lease, sent, received);
        if self.known.met(registry, received) {
            own_lease.resign();
        }
        Ok(())
    }

    /// Where the store has no backplane: copies die of age, and are kept from when every server knows of that.
    async fn age(&mut self) {
        let clock = Arc::clone(&self.clock);
        let mut serves = false;
        loop {
            let serves_from = self.config.borrow_and_update().serves_from();
            if serves && serves_from.is_none_or(|from| from > clock.now()) {
                self.listener.own_lease.resign();
                serves = false;
            }
            tokio::select! {
                changed = self.config.changed() => {
                    if changed.is_err() || self.config.borrow().leaving {
                        return self.listener.own_lease.resign();
                    }
                }
                () = until(&*clock, serves_from), if !serves => {
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
        self.config.borrow().leaving && !*self.left.borrow()
    }

    fn has_left(&mut self) {
        self.lease = None;
        self.left.send_replace(true);
    }

    /// Waits until something else is to become of a backplane that is not open.
    async fn wish(&mut self) -> Wish {
        loop {
            if self.is_to_leave() {
                return Wish::Leave;
            }
            if self.config.changed().await.is_err() {
                return Wish::Close;
            }
        }
    }
}

/// Takes this server from the registry. One that could not leave is waited for once, for as long as its lease.
async fn leave(connection: &dyn BackplaneConnection) {
    let _ = time::timeout(FAREWELL, connection.leave()).await;
}

/// Waits until a moment of this clock; without one, for good.
pub(super) async fn until(clock: &dyn BootTime, at: Option<BootInstant>) {
    let Some(at) = at else {
        return std::future::pending().await;
    };
    loop {
        let left = at.since(clock.now());
        if left.is_zero() {
            return;
        }
        time::sleep(left).await;
    }
}

/// Gives a request so long.
pub(super) async fn in_time<T>(
    patience: Duration,
    request: impl Future<Output = Result<T>>,
) -> Result<T> {
    time::timeout(patience, request).await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::TimedOut, "use the backplane")
            .message(format!("there was no answer within {patience:?}")))
    })
}
