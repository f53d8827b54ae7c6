use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use token_cache_core::{Backplane, Namespace, Secret, Timestamp, TokenCache, TokenStore};

use crate::{
    Breakable, Harness, Violation, account_driver::AccountDriver, assertions::Assertions, random,
};

/// How often a condition is looked at while a check waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The environment of a check: a store in a namespace of its own.
pub(crate) struct Setup {
    harness: Arc<dyn Harness>,
    namespace: String,
    secret: Secret,
    store: Arc<dyn TokenStore>,
    now: Timestamp,
    /// How much less than let pass the store's clock has moved: by so much everything there is older than its clock says.
    aged: AtomicU64,
}

impl Setup {
    /// A store in a fresh namespace with a random name.
    ///
    /// # Errors
    /// Returns a violation if the harness has no store, or if the store does not return its time.
    pub(crate) async fn new(harness: Arc<dyn Harness>) -> Result<Self, Violation> {
        let namespace = format!("tc-{:032x}", u128::from_be_bytes(random::bytes()?));
        Self::named(harness, namespace).await
    }

    async fn named(harness: Arc<dyn Harness>, namespace: String) -> Result<Self, Violation> {
        let store = harness
            .open(&namespace)
            .await
            .map_err(|why| no_store(&*harness, &*why))?;
        let now = store
            .namespace()
            .await
            .should_work("reading the store's clock")?
            .time;
        let secret = Secret::random().should_work("drawing a secret")?;
        Ok(Self {
            harness,
            namespace,
            secret,
            store,
            now,
            aged: AtomicU64::new(0),
        })
    }

    /// The store.
    pub(crate) fn store(&self) -> &dyn TokenStore {
        &*self.store
    }

    /// The time, on the store's clock, at which the setup was made.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The store's clock.
    pub(crate) async fn clock(&self) -> Result<Namespace, Violation> {
        let read = self.store.namespace().await;
        read.should_work("reading the store's clock")
    }

    /// The time that has passed by the store's clock, and what the harness let pass besides. It is at least `time`, and less than
    /// `precision` later.
    pub(crate) async fn passed(&self) -> Result<Namespace, Violation> {
        let mut read = self.clock().await?;
        read.time = read.time + Duration::from_millis(self.aged.load(Ordering::SeqCst));
        Ok(read)
    }

    /// Lets time pass; `false` when the harness cannot.
    pub(crate) async fn let_time_pass(&self, by: Duration) -> Result<bool, Violation> {
        let before = self.clock().await?.time;
        let passed = self.harness.let_time_pass(&self.namespace, by).await;
        let passed = passed.map_err(|why| {
            Violation::new("a harness that lets time pass", format!("it failed: {why}"))
        })?;
        if passed && self.clock().await?.time.since(before) < by {
            let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            self.aged.fetch_add(millis, Ordering::SeqCst);
        }
        Ok(passed)
    }

    /// Another server's handle to the same namespace.
    pub(crate) async fn another_server(&self) -> Result<Arc<dyn TokenStore>, Violation> {
        let opened = self.harness.open(&self.namespace).await;
        opened.map_err(|why| no_store(&*self.harness, &*why))
    }

    /// Another namespace, whose name is this one's and a suffix.
    pub(crate) async fn another_namespace(&self, suffix: &str) -> Result<Self, Violation> {
        Self::named(
            Arc::clone(&self.harness),
            format!("{}{suffix}", self.namespace),
        )
        .await
    }

    /// A namespace that has nothing to do with this one.
    pub(crate) async fn sibling(&self) -> Result<Self, Violation> {
        Self::new(Arc::clone(&self.harness)).await
    }

    /// A handle to the same namespace, with a switch that makes the store unreachable.
    pub(crate) async fn breakable(&self) -> Result<Breakable, Violation> {
        let opened = self.harness.open_breakable(&self.namespace).await;
        opened.map_err(|why| no_store(&*self.harness, &*why))
    }

    /// A server with a cache over the namespace. All of a setup's servers have the same secret.
    pub(crate) async fn cache(&self) -> Result<TokenCache, Violation> {
        self.cache_over(self.another_server().await?).await
    }

    pub(crate) async fn cache_over(
        &self,
        store: Arc<dyn TokenStore>,
    ) -> Result<TokenCache, Violation> {
        TokenCache::open(store, self.secret.clone())
            .await
            .should_work("opening a cache")
    }

    /// Returns an account without sessions, with times given by the check.
    pub(crate) fn account(&self) -> Result<AccountDriver<'_>, Violation> {
        Ok(AccountDriver::new(
            self.store(),
            random::account()?,
            self.now,
        ))
    }

    /// Waits until the store's own clock has reached `moment`.
    pub(crate) async fn until(&self, moment: Timestamp) -> Result<(), Violation> {
        self.until_it_holds(async || {
            let read = self
                .store
                .namespace()
                .await
                .should_work("reading the store's clock")?;
            Ok(read.time >= moment)
        })
        .await
    }

    /// Looks at a condition until it holds; the runner's time limit ends what never does.
    pub(crate) async fn until_it_holds(
        &self,
        mut holds: impl AsyncFnMut() -> Result<bool, Violation>,
    ) -> Result<(), Violation> {
        while !holds().await? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("namespace", &self.namespace)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

fn no_store(harness: &dyn Harness, why: &dyn std::error::Error) -> Violation {
    Violation::new(
        format!("a store to check, `{}`", harness.name()),
        format!("none: {why}"),
    )
}

pub(crate) fn backplane_of(store: &dyn TokenStore) -> Result<&dyn Backplane, Violation> {
    store.backplane().ok_or_else(|| absent("a backplane"))
}

fn absent(part: &str) -> Violation {
    Violation::new(format!("{part}, as the store said at first"), "none")
}
