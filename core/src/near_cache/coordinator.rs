use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::sync::{mpsc, watch};

use super::{
    AckWait, BootInstant, BootTime, NearCacheLease,
    acknowledgements::Acknowledgements,
    connection_task::{ConnectionTask, in_time, until},
    fleet_config::FleetConfig,
    lease::with_drift,
    publisher::{invalidation_of, tell},
    seen_registry::SeenRegistry,
    server_listener::{Forget, ServerListener},
};
use crate::{
    AccountKey, Invalidation, InvalidationListener, LeaseHolder, NearCacheOutcome, Published,
    Result, ServerId, TokenStore, Wait,
    protocol::StoreSignOut,
    telemetry::{self, About, Operation, observe},
    wait::distinct,
};

/// How long a request outside of the store's own time-outs may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Of how many sign-outs the silent servers wait to be reaped, where the backplane is down.
const UNREAPED: usize = 64;

/// This server's part in a fleet that keeps near caches, whether it keeps any itself or not: it hears and answers invalidation messages,
/// makes them, and waits for the answers.
pub(crate) struct InvalidationCoordinator {
    listener: Arc<ServerListener>,
    store: Arc<dyn TokenStore>,
    has_lease: bool,
    /// The backplane opens when there is somebody at its other end.
    unopened: Mutex<Option<ConnectionTask>>,
    left: watch::Receiver<bool>,
    /// Who did not answer: the backplane's task has them go from the registry.
    silent: mpsc::Sender<Vec<LeaseHolder>>,
    publishing: OnceLock<mpsc::UnboundedSender<AccountKey>>,
}

/// What a server keeps of its own.
pub(crate) struct NearCacheParts {
    pub(crate) own_lease: Arc<NearCacheLease>,
    /// Takes copies away; none where it keeps none.
    pub(crate) forget: Option<Forget>,
    /// How long its lease is, where it keeps copies under one.
    pub(crate) lease: Option<Duration>,
}

impl NearCacheParts {
    /// A server that keeps no copies.
    pub(crate) fn nothing() -> Self {
        Self {
            own_lease: Arc::new(NearCacheLease::new()),
            forget: None,
            lease: None,
        }
    }
}

impl InvalidationCoordinator {
    pub(crate) fn new(
        store: Arc<dyn TokenStore>,
        parts: NearCacheParts,
        config: watch::Receiver<FleetConfig>,
        clock: Arc<dyn BootTime>,
    ) -> Result<Self> {
        let NearCacheParts {
            own_lease,
            forget,
            lease,
        } = parts;
        let listener = Arc::new(ServerListener {
            server: ServerId::mint()?,
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
        Ok(Self {
            listener,
            store,
            has_lease: lease.is_some(),
            unopened: Mutex::new(Some(backplane)),
            left,
            silent,
            publishing: OnceLock::new(),
        })
    }

    /// Who signs out by this server.
    pub(crate) fn server(&self) -> ServerId {
        self.listener.server
    }

    /// Whether a server that is to keep copies under a lease can open its backplane at all. One that can't for now may later.
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

    /// Opens the backplane where any server keeps copies, this one or another. Within a runtime.
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
            tokio::spawn(tell(Arc::clone(&self.store), told));
        }
    }

    /// Waits until a server that leaves is in no registry.
    pub(crate) async fn left(&self) {
        if self.unopened().is_none() {
            // An error is the end of the backplane's task: it is in none.
            let _ = self.left.clone().wait_for(|left| *left).await;
        }
    }

    /// Has other servers drop their copies of an account's, in a task of its own.
    pub(crate) fn tell(&self, account: &AccountKey) {
        if self.listener.longest_near_cache_life().is_zero() {
            return;
        }
        if let Some(publishing) = self.publishing.get() {
            // The task ends with this member, or with the runtime.
            let _ = publishing.send(*account);
        }
    }

    /// Waits until no server can serve a copy of what was ended. `longest` is what the namespace's record said of copies after the
    /// evictions were answered. What the evictions did not announce is published first. Of a `sid` that the index knows nothing of,
    /// an invalidation message that names nobody tells whether the registry of leases was lost with the index: then a lease is waited out.
    pub(crate) async fn clear(
        &self,
        ended: &StoreSignOut,
        longest: Duration,
        wait: Wait,
    ) -> Result<NearCacheOutcome> {
        self.start();
        let accounts = ended.evicted.iter().map(|(account, _)| *account);
        let dropped = if ended.unnamed {
            Invalidation::Everything
        } else {
            invalidation_of(accounts)
        };
        self.listener.drop_cached_reads(&dropped);
        let cleared = self.published_and_awaited(ended, longest, wait);
        observe(
            Operation::AwaitNearCaches,
            About::default(),
            cleared,
            |(outcome, _)| outcome,
        )
        .await
        .map(|(_, gone)| gone)
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
            let origin = (wait == Wait::Everywhere).then_some(self.listener.server);
            let what = if ended.unnamed {
                Invalidation::Everything
            } else {
                invalidation_of(unpublished_evictions.into_iter())
            };
            published.push(in_time(PATIENCE, backplane.publish(origin, what)).await?);
        }
        let received = self.listener.clock.now();
        match (wait, backplane) {
            (Wait::None, _) => {
                let cleared_within = with_drift(longest);
                Ok((
                    "not_awaited",
                    NearCacheOutcome::NotAwaited { cleared_within },
                ))
            }
            (Wait::Everywhere, None) => {
                until(&*self.listener.clock, Some(received + with_drift(longest))).await;
                Ok(("age", self.gone(Vec::new(), Vec::new(), received)))
            }
            (Wait::Everywhere, Some(_)) => {
                Ok(self.acknowledged(published, longest, received).await)
            }
        }
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
            .map(|own_lease| own_lease.server);
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
                () = until(&**clock, Some(over_at)) => {}
            }
        }
        let names = distinct(silent.iter().map(|own_lease| own_lease.server));
        telemetry::silent(names.len());
        if outcome == "lease" {
            // Those of whom the backplane's task does not hear are waited for once more.
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
        f.debug_struct("Member")
            .field("server", &self.listener.server)
            .finish_non_exhaustive()
    }
}
