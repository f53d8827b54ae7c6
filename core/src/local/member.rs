use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::sync::{mpsc, watch};

use super::{
    BootInstant, BootTime, Clearance, Holder,
    acknowledgements::Acknowledgements,
    ears::{Ears, Forget},
    holder::with_drift,
    known_registry::KnownRegistry,
    link_task::{LinkTask, in_time, until},
    teller::{copies_of, tell},
    terms::Terms,
};
use crate::{
    AccountKey, Announced, CopiesGone, Invalidation, LeaseHolder, Listener, Result, ServerId,
    TokenStore, Wait,
    protocol::Ended,
    telemetry::{self, About, Operation, observe},
    wait::distinct,
};

/// How long a request outside of the store's own time-outs may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Of how many sign-outs the silent servers wait to be reaped, where the link is down.
const UNREAPED: usize = 64;

/// This server's part in a fleet that keeps local copies, whether it keeps any itself or not: it hears and answers announcements,
/// makes them, and waits for the answers.
pub(crate) struct Member {
    ears: Arc<Ears>,
    store: Arc<dyn TokenStore>,
    has_lease: bool,
    /// The link opens when there is somebody at its other end.
    unopened: Mutex<Option<LinkTask>>,
    left: watch::Receiver<bool>,
    /// Who did not answer: the link's task has them go from the registry.
    silent: mpsc::Sender<Vec<LeaseHolder>>,
    telling: OnceLock<mpsc::UnboundedSender<AccountKey>>,
}

/// What a server keeps of its own.
pub(crate) struct Keeping {
    pub(crate) holder: Arc<Holder>,
    /// Takes copies away; none where it keeps none.
    pub(crate) forget: Option<Forget>,
    /// How long its lease is, where it keeps copies under one.
    pub(crate) lease: Option<Duration>,
}

impl Keeping {
    /// A server that keeps no copies.
    pub(crate) fn nothing() -> Self {
        Self {
            holder: Arc::new(Holder::new()),
            forget: None,
            lease: None,
        }
    }
}

impl Member {
    pub(crate) fn new(
        store: Arc<dyn TokenStore>,
        keeping: Keeping,
        terms: watch::Receiver<Terms>,
        clock: Arc<dyn BootTime>,
    ) -> Result<Self> {
        let Keeping {
            holder,
            forget,
            lease,
        } = keeping;
        let ears = Arc::new(Ears {
            server: ServerId::mint()?,
            holder,
            forget,
            acknowledgements: Arc::new(Acknowledgements::default()),
            terms: terms.clone(),
            clock: Arc::clone(&clock),
        });
        let (silent, hears_silent) = mpsc::channel(UNREAPED);
        let (leaves, left) = watch::channel(false);
        let link = LinkTask {
            store: Arc::clone(&store),
            ears: Arc::clone(&ears),
            lease,
            terms,
            clock,
            silent: hears_silent,
            known: KnownRegistry::default(),
            left: leaves,
        };
        Ok(Self {
            ears,
            store,
            has_lease: lease.is_some(),
            unopened: Mutex::new(Some(link)),
            left,
            silent,
            telling: OnceLock::new(),
        })
    }

    /// Who signs out by this server.
    pub(crate) fn server(&self) -> ServerId {
        self.ears.server
    }

    /// Whether a server that is to keep copies under a lease can open its link at all. One that can't for now may later.
    pub(crate) async fn check(&self) -> Result<()> {
        let Some(link) = self.store.link().filter(|_| self.has_lease) else {
            return Ok(());
        };
        let listener = Arc::clone(&self.ears) as Arc<dyn Listener>;
        match in_time(PATIENCE, link.connect(self.ears.server, listener)).await {
            Err(error) if !error.is_retryable() => Err(error),
            _ => Ok(()),
        }
    }

    /// Opens the link where any server keeps copies, this one or another. Within a runtime.
    pub(crate) fn start(&self) {
        if self.ears.longest_copy_life().is_zero() {
            return;
        }
        let Some(link) = self.unopened().take() else {
            return;
        };
        tokio::spawn(link.run());
        let (telling, told) = mpsc::unbounded_channel();
        if self.telling.set(telling).is_ok() {
            tokio::spawn(tell(Arc::clone(&self.store), told));
        }
    }

    /// Waits until a server that leaves is in no registry.
    pub(crate) async fn left(&self) {
        if self.unopened().is_none() {
            // An error is the end of the link's task: it is in none.
            let _ = self.left.clone().wait_for(|left| *left).await;
        }
    }

    /// Has other servers drop their copies of an account's, in a task of its own.
    pub(crate) fn tell(&self, account: &AccountKey) {
        if self.ears.longest_copy_life().is_zero() {
            return;
        }
        if let Some(telling) = self.telling.get() {
            // The task ends with this member, or with the runtime.
            let _ = telling.send(*account);
        }
    }

    /// Waits until no server can serve a copy of what was ended. `longest` is what the namespace's record said of copies after the
    /// evictions were answered. What the evictions did not announce is announced first. Of a `sid` that the index knows nothing of,
    /// an announcement that names nobody tells whether the registry of leases was lost with the index: then a lease is waited out.
    pub(crate) async fn clear(
        &self,
        ended: &Ended,
        longest: Duration,
        wait: Wait,
    ) -> Result<CopiesGone> {
        self.start();
        let accounts = ended.evicted.iter().map(|(account, _)| *account);
        let dropped = if ended.unnamed {
            Invalidation::Everything
        } else {
            copies_of(accounts)
        };
        self.ears.drop_copies(&dropped);
        let cleared = self.announced_and_awaited(ended, longest, wait);
        observe(
            Operation::AwaitCopies,
            About::default(),
            cleared,
            |(outcome, _)| outcome,
        )
        .await
        .map(|(_, gone)| gone)
    }

    async fn announced_and_awaited(
        &self,
        ended: &Ended,
        longest: Duration,
        wait: Wait,
    ) -> Result<(&'static str, CopiesGone)> {
        let mut announced: Vec<Announced> = Vec::new();
        let mut unannounced = Vec::new();
        for (account, made) in &ended.evicted {
            match made {
                Some(made) => announced.push(made.clone()),
                None => unannounced.push(*account),
            }
        }
        let link = self.store.link();
        if let Some(link) = link
            && (ended.unnamed || ended.unknown_sid || !unannounced.is_empty())
        {
            let signer = (wait == Wait::Everywhere).then_some(self.ears.server);
            let what = if ended.unnamed {
                Invalidation::Everything
            } else {
                copies_of(unannounced.into_iter())
            };
            announced.push(in_time(PATIENCE, link.announce(signer, what)).await?);
        }
        let received = self.ears.clock.now();
        match (wait, link) {
            (Wait::None, _) => {
                let gone_within = with_drift(longest);
                Ok(("not_awaited", CopiesGone::NotAwaited { gone_within }))
            }
            (Wait::Everywhere, None) => {
                until(&*self.ears.clock, Some(received + with_drift(longest))).await;
                Ok(("age", self.gone(Vec::new(), Vec::new(), received)))
            }
            (Wait::Everywhere, Some(_)) => {
                Ok(self.acknowledged(announced, longest, received).await)
            }
        }
    }

    async fn acknowledged(
        &self,
        announced: Vec<Announced>,
        longest: Duration,
        received: BootInstant,
    ) -> (&'static str, CopiesGone) {
        let Ears {
            server: own,
            holder,
            clock,
            ..
        } = &*self.ears;
        let ids = announced.iter().map(|announced| announced.id).collect();
        let mut answers = self.ears.acknowledgements.awaiting(ids);
        let holders = announced
            .iter()
            .flat_map(|announced| &announced.holders)
            .map(|holder| holder.server);
        let servers = distinct(holders.filter(|server| server != own));
        let knows = holder.knows(longest, clock.now());
        let mut open: Vec<Clearance> = announced
            .into_iter()
            .map(|announced| Clearance::new(announced, *own, knows, longest, received))
            .collect();
        let mut silent: Vec<LeaseHolder> = Vec::new();
        let mut outcome = "acknowledged";
        loop {
            let now = clock.now();
            open.retain(|clearance| {
                let is_over = clearance.is_over(now);
                if is_over && now >= clearance.over_at() {
                    silent.extend(clearance.silent());
                    outcome = "lease";
                }
                !is_over
            });
            let Some(over_at) = open.iter().map(Clearance::over_at).min() else {
                break;
            };
            tokio::select! {
                biased;
                answer = answers.next() => {
                    for clearance in &mut open {
                        clearance.acknowledged(&answer);
                    }
                }
                () = until(&**clock, Some(over_at)) => {}
            }
        }
        let names = distinct(silent.iter().map(|holder| holder.server));
        telemetry::silent(names.len());
        if outcome == "lease" {
            // Those of whom the link's task does not hear are waited for once more.
            let _ = self.silent.try_send(silent);
        }
        (outcome, self.gone(servers, names, received))
    }

    fn gone(
        &self,
        servers: Vec<ServerId>,
        silent: Vec<ServerId>,
        since: BootInstant,
    ) -> CopiesGone {
        CopiesGone::Gone {
            servers,
            silent,
            waited: self.ears.clock.now().since(since),
        }
    }

    fn unopened(&self) -> MutexGuard<'_, Option<LinkTask>> {
        self.unopened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("server", &self.ears.server)
            .finish_non_exhaustive()
    }
}
