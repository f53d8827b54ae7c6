use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use token_cache_core::{
    AccountKey, Invalidation, InvalidationListener, LeaseHolder, NearCacheOutcome, Published,
    Result, ServerId, TokenStore, Wait,
    near_cache::{BootInstant, FleetMember, in_time, until, with_drift},
    protocol::StoreSignOut,
    telemetry::await_near_caches,
};
use tokio::sync::{mpsc, watch};

use crate::{
    ack_wait::AckWait,
    acknowledgements::Acknowledgements,
    connection_task::ConnectionTask,
    lease::NearCacheLease,
    publisher::publish,
    seen_registry::SeenRegistry,
    server_listener::{Forget, ServerListener},
    telemetry,
};

/// The timeout of a request over the backplane.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most sign-outs whose silent servers are queued for removal from the registry while the backplane is down.
const UNREAPED: usize = 64;

/// A server's part in the invalidation protocol of a fleet. It receives and acknowledges invalidation messages, publishes them, and waits
/// for acknowledgements. It runs on servers without a near cache too.
pub(crate) struct InvalidationCoordinator {
    listener: Arc<ServerListener>,
    store: Arc<dyn TokenStore>,
    has_lease: bool,
    /// The task of the backplane connection, until it is started. It starts when a server of the fleet has a near cache.
    unopened: Mutex<Option<ConnectionTask>>,
    left: watch::Receiver<bool>,
    /// The servers that did not acknowledge. The connection task removes them from the registry.
    silent: mpsc::Sender<Vec<LeaseHolder>>,
    publishing: OnceLock<mpsc::UnboundedSender<AccountKey>>,
}

impl InvalidationCoordinator {
    /// `forget` removes near-cache entries, and is `None` on a server without them. `lease` is the duration of the lease, and `None` without
    /// near-cache entries or without a backplane.
    pub(crate) fn new(
        member: FleetMember,
        own_lease: Arc<NearCacheLease>,
        forget: Option<Forget>,
        lease: Option<Duration>,
    ) -> Self {
        let FleetMember {
            server,
            store,
            config,
            clock,
        } = member;
        let listener = Arc::new(ServerListener {
            server,
            own_lease,
            forget,
            acknowledgements: Arc::new(Acknowledgements::default()),
            config: config.clone(),
            clock: Arc::clone(&clock),
        });
        let (silent, hears_silent) = mpsc::channel(UNREAPED);
        let (leaves, left) = watch::channel(false);
        let backplane = ConnectionTask {
            store: Arc::clone(&store),
            listener: Arc::clone(&listener),
            lease,
            config,
            clock,
            silent: hears_silent,
            known: SeenRegistry::default(),
            left: leaves,
        };
        Self {
            listener,
            store,
            has_lease: lease.is_some(),
            unopened: Mutex::new(Some(backplane)),
            left,
            silent,
            publishing: OnceLock::new(),
        }
    }

    /// Checks that a server with a lease can open its backplane connection. Retryable errors are ignored, since a later attempt may
    /// succeed.
    pub(crate) async fn check(&self) -> Result<()> {
        let Some(backplane) = self.store.backplane().filter(|_| self.has_lease) else {
            return Ok(());
        };
        let listener = Arc::clone(&self.listener) as Arc<dyn InvalidationListener>;
        match in_time(PATIENCE, backplane.connect(self.listener.server, listener)).await {
            Err(error) if !error.is_retryable() => Err(error),
            _ => Ok(()),
        }
    }

    /// Opens the backplane connection if any server of the fleet has a near cache. Must be called within a runtime.
    pub(crate) fn start(&self) {
        if self.listener.longest_near_cache_life().is_zero() {
            return;
        }
        let Some(backplane) = self.unopened().take() else {
            return;
        };
        tokio::spawn(backplane.run());
        let (publishing, told) = mpsc::unbounded_channel();
        if self.publishing.set(publishing).is_ok() {
            tokio::spawn(publish(Arc::clone(&self.store), told));
        }
    }

    /// Waits until a server that gives up its lease is in no registry.
    pub(crate) async fn left(&self) {
        if self.unopened().is_none() {
            // An error means that the connection task has ended, so this server is in no registry.
            let _ = self.left.clone().wait_for(|left| *left).await;
        }
    }

    /// Publishes an invalidation of the account to the other servers, in a separate task.
    pub(crate) fn publish(&self, account: &AccountKey) {
        if self.listener.longest_near_cache_life().is_zero() {
            return;
        }
        if let Some(publishing) = self.publishing.get() {
            // A send fails only if the runtime has ended, and the publisher with it.
            let _ = publishing.send(*account);
        }
    }

    /// Waits until no server can serve a near-cache entry of the ended sessions. `longest` is the longest near-cache life in the namespace
    /// record, read after the evictions were answered. Evictions that the store did not publish are published first.
    ///
    /// If the index has no account for the `sid`, an invalidation message without accounts is published. The answer shows whether the
    /// registry of leases was lost together with the index. If it was, the longest lease is waited out.
    pub(crate) async fn clear(
        &self,
        ended: &StoreSignOut,
        longest: Duration,
        wait: Wait,
    ) -> Result<NearCacheOutcome> {
        self.start();
        await_near_caches(self.published_and_awaited(ended, longest, wait)).await
    }

    async fn published_and_awaited(
        &self,
        ended: &StoreSignOut,
        longest: Duration,
        wait: Wait,
    ) -> Result<(&'static str, NearCacheOutcome)> {
        let mut published: Vec<Published> = Vec::new();
        let mut unpublished_evictions = Vec::new();
        for (account, made) in &ended.evicted {
            match made {
                Some(made) => published.push(made.clone()),
                None => unpublished_evictions.push(*account),
            }
        }
        let backplane = self.store.backplane();
        if let Some(backplane) = backplane
            && (ended.unnamed || ended.unknown_sid || !unpublished_evictions.is_empty())
        {
            let origin = (wait != Wait::None).then_some(self.listener.server);
            let what = if ended.unnamed {
                Invalidation::Everything
            } else {
                Invalidation::of(unpublished_evictions.into_iter())
            };
            published.push(in_time(PATIENCE, backplane.publish(origin, what)).await?);
        }
        let received = self.listener.clock.now();
        if wait == Wait::None {
            let cleared_within = with_drift(longest);
            let outcome = NearCacheOutcome::NotAwaited { cleared_within };
            return Ok(("not_awaited", outcome));
        }
        if backplane.is_none() {
            until(&*self.listener.clock, received + with_drift(longest)).await;
            return Ok(("age", self.gone(Vec::new(), Vec::new(), received)));
        }
        Ok(self.acknowledged(published, longest, received).await)
    }

    async fn acknowledged(
        &self,
        published: Vec<Published>,
        longest: Duration,
        received: BootInstant,
    ) -> (&'static str, NearCacheOutcome) {
        let ServerListener {
            server: own,
            own_lease,
            clock,
            ..
        } = &*self.listener;
        let ids = published.iter().map(|published| published.id).collect();
        let mut answers = self.listener.acknowledgements.awaiting(ids);
        let holders = published
            .iter()
            .flat_map(|published| &published.holders)
            .map(|holder| holder.server);
        let servers = distinct(holders.filter(|server| server != own));
        let knows = own_lease.knows(longest, clock.now());
        let mut open: Vec<AckWait> = published
            .into_iter()
            .map(|published| AckWait::new(published, *own, knows, longest, received))
            .collect();
        let mut silent: Vec<LeaseHolder> = Vec::new();
        let mut outcome = "acknowledged";
        loop {
            let now = clock.now();
            open.retain(|ack_wait| {
                let is_over = ack_wait.is_over(now);
                if is_over && now >= ack_wait.over_at() {
                    silent.extend(ack_wait.silent());
                    outcome = "lease";
                }
                !is_over
            });
            let Some(over_at) = open.iter().map(AckWait::over_at).min() else {
                break;
            };
            tokio::select! {
                biased;
                answer = answers.next() => {
                    for ack_wait in &mut open {
                        ack_wait.acknowledged(&answer);
                    }
                }
                () = until(&**clock, over_at) => {}
            }
        }
        let names = distinct(silent.iter().map(|holder| holder.server));
        telemetry::silent(names.len());
        if outcome == "lease" {
            // If the queue is full, these servers are not removed, and the next sign-out waits for them again.
            let _ = self.silent.try_send(silent);
        }
        (outcome, self.gone(servers, names, received))
    }

    fn gone(
        &self,
        servers: Vec<ServerId>,
        silent: Vec<ServerId>,
        since: BootInstant,
    ) -> NearCacheOutcome {
        NearCacheOutcome::Cleared {
            servers,
            silent,
            waited: self.listener.clock.now().since(since),
        }
    }

    fn unopened(&self) -> MutexGuard<'_, Option<ConnectionTask>> {
        self.unopened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for InvalidationCoordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvalidationCoordinator")
            .field("server", &self.listener.server)
            .finish_non_exhaustive()
    }
}

/// Returns the servers without duplicates, in order.
fn distinct(servers: impl Iterator<Item = ServerId>) -> Vec<ServerId> {
    servers.collect::<BTreeSet<_>>().into_iter().collect()
}
